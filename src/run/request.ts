import path from 'node:path';
import type { Environment } from '../store/environment.js';
import type { RunInfo } from '../store/run-info.js';
import type { Engine } from '../train/engine/load.js';
import type { RunConfig } from './config.js';
import type { TrainingProgress, SessionEnd } from './session.js';

/** What the command line, or whoever starts runs, gives beside the config. */
export interface RunRequest {
  /** Folder that holds `<experiment>/<run>`. */
  readonly root: string;
  readonly engine: Engine;
  /** The command line that reproduces the runs. */
  readonly command: readonly string[];
  readonly signal: AbortSignal;
  readonly onProgress: (progress: TrainingProgress) => void;
  /** One line for people. */
  readonly onMessage: (message: string) => void;
  readonly existing: ExistingRuns;
  /** Versions of the program and what it runs on, for provenance. */
  readonly versions: Readonly<Record<string, string>>;
  /** The sweep that asks for the runs. */
  readonly sweep?: RunInfo['sweep'];
  readonly environment?: Environment;
  /** Bytes of memory that training may come to hold; asked of the system by default. */
  readonly memory?: () => number;
  /** What the command that asks can do about runs that are in its way; that of `run` by default. */
  readonly advice?: {
    readonly otherConfig: string;
    /** How a run that cannot be resumed is trained again. */
    readonly again: string;
  };
}

/**
 * What becomes of runs that are there already.
 *
 * - refuse: stop with an error when one is not complete or has another config
 * - resume: go on with those that were interrupted; those that cannot be resumed are left, and reported
 * - repair: the same, but train again those that cannot be resumed or have another config
 * - overwrite: train all of them again
 */
export type ExistingRuns = 'refuse' | 'resume' | 'repair' | 'overwrite';

/** A run that failed. */
export interface FailedRun {
  readonly folder: string;
  readonly reason: string;
}

/** A run that another process writes. */
export interface BusyRun {
  readonly folder: string;
  /** Which process that is, and what to do if that is wrong. */
  readonly reason: string;
}

/** How a set of runs ended. */
export interface RunsEnd {
  readonly end: SessionEnd;
  /** Folders of all runs asked for, in the order of the seeds. */
  readonly folders: readonly string[];
  /** Folders of runs that failed, with the reason. */
  readonly failed: readonly FailedRun[];
  /** Runs asked for that were left to other processes. */
  readonly busy: readonly BusyRun[];
}

/** Name that a run's folder begins with, inside its experiment's folder. */
export function runId(name: string, seed: number): string {
  return `${name}-seed${seed}`;
}

/** Folder of the run of a seed. */
export function runFolderOf(root: string, config: RunConfig, seed: number): string {
  return path.join(root, config.experiment, runId(config.name, seed));
}
