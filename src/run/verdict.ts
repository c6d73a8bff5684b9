import fs from 'node:fs';
import { BusyError, UserError } from '../../data/errors.js';
import { hashConfig } from '../store/config-hash.js';
import { nodeEnvironment } from '../store/environment.js';
import { acquireLock } from '../store/lock.js';
import { runInfoPath } from '../store/run-info.js';
import type { RunConfig } from './config.js';
import { discardRun } from './discard.js';
import { folderState, type FolderState } from './folder-state.js';
import type { RunRequest } from './request.js';
import { readStoredConfig } from './run-config.js';
import { whyOtherEngine } from './same-engine.js';

/** A run that is to be removed, as long as it is as it was looked at. */
interface ReplacedRun {
  readonly kind: 'replace';
  /** What its run.json said, null for none. */
  readonly seen: string | null;
}

/** What is to be done with the folder of a seed. */
export type FolderVerdict =
  | { readonly kind: 'train' | 'resume' | 'done' }
  | ReplacedRun
  /** It cannot be trained, or another process does. */
  | { readonly kind: 'leave' | 'busy'; readonly reason: string };

/**
 * Throws a UserError when the folder holds something that `existing` does not cover, a BusyError when another process
 * writes it.
 */
export function verdictOn(folder: string, config: RunConfig, request: RunRequest): FolderVerdict {
  const { existing, advice = adviceOfRun } = request;
  const replace = replaced(folder);
  const state = folderState(folder, request.environment);
  const goesOn = existing === 'resume' || existing === 'repair';
  switch (state.kind) {
    case 'absent':
      return { kind: 'train' };
    case 'untrained':
      return replace;
    case 'busy':
      if (goesOn) return { kind: 'busy', reason: state.reason };
      throw new BusyError(state.reason, folder);
    case 'complete':
    case 'open':
    case 'closed':
  }
  if (existing === 'overwrite') return replace;
  const reason = whyNotResumed(state, request);
  if (reason === null && !isOfConfig(folder, config)) {
    if (existing === 'repair') return replace;
    throw new UserError(`${folder}: holds a run of another config; ${advice.otherConfig}`);
  }
  if (state.kind === 'complete') return { kind: 'done' };
  if (state.kind === 'open' && reason === null) {
    // At its start it begins together with the other seeds, and so with the same sums of their gradients.
    if (goesOn) return state.isAtStart ? replace : { kind: 'resume' };
    throw new UserError(
      `${folder}: holds a run that is ${state.label}; continue it with --existing resume, or replace it with --existing overwrite`,
    );
  }
  if (existing === 'repair') return replace;
  if (existing === 'resume') return { kind: 'leave', reason: `${reason}; ${advice.again}` };
  throw new UserError(`${folder}: holds a run that cannot be resumed: ${reason}; ${advice.again}`);
}

/** Whether a run folder's config says the same as another, however it is written. */
export function isOfConfig(folder: string, config: RunConfig): boolean {
  return readStoredConfig(folder).hash === hashConfig(config);
}

/** What helps someone who typed `run`. */
const adviceOfRun = {
  otherConfig: 'give --set name=..., another --out, or --existing overwrite',
  again: '--existing overwrite trains it again',
};

/** The verdict that removes what a folder holds now. */
export function replaced(folder: string): ReplacedRun {
  return { kind: 'replace', seen: contentOf(folder) };
}

function contentOf(folder: string): string | null {
  try {
    return fs.readFileSync(runInfoPath(folder), 'utf8');
  } catch {
    // What cannot be read is replaced like what is damaged.
    return null;
  }
}

/** Why a run cannot be resumed; null for one that can, or is complete. */
function whyNotResumed(state: FolderState, { engine }: RunRequest): string | null {
  if (state.kind === 'closed') return state.reason;
  // What is at its start begins anew, and what is trained is only finished.
  if (state.kind !== 'open' || state.isAtStart || state.isTrained) return null;
  return whyOtherEngine(state.info, engine);
}

/**
 * Removes the run of a folder that a new one replaces. Throws a BusyError when another process has begun to write it, or has
 * brought it further since it was looked at.
 */
export function clear(
  folder: string,
  { seen }: ReplacedRun,
  { environment = nodeEnvironment }: Pick<RunRequest, 'environment'>,
): void {
  const lock = acquireLock(folder, environment);
  try {
    if (contentOf(folder) !== seen)
      throw new BusyError(`${folder}: was written by another process meanwhile`, folder);
    discardRun(folder, environment.fs);
  } finally {
    lock.release();
  }
}
