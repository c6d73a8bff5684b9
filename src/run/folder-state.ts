import fs from 'node:fs';
import { BusyError, UserError } from '../../data/errors.js';
import { nodeEnvironment, type Environment } from '../store/environment.js';
import { acquireLock, lockPath, requireFree } from '../store/lock.js';
import { readRunInfo } from '../store/run-folder.js';
import { runInfoPath, type RunInfo } from '../store/run-info.js';
import { statusOfRun } from '../store/run-status.js';
import { filePath, streamPath } from '../store/table-paths.js';
import { checkpointSteps } from './checkpoint.js';
import { tablesOfTraining } from './log/run-tables.js';

/** What a folder holds, for whoever wants to train in it. */
export type FolderState =
  /** No run. */
  | { readonly kind: 'absent' }
  /** A run that is done. */
  | { readonly kind: 'complete' }
  /** Another process writes it; the reason says which, and what to do if that is wrong. */
  | { readonly kind: 'busy'; readonly reason: string }
  /** A run that ended before its first checkpoint: nothing was trained, nothing is lost by starting anew. */
  | { readonly kind: 'untrained' }
  /** A run that stopped and can be resumed; at its start when that is where it goes on. */
  | {
      readonly kind: 'open';
      readonly label: string;
      readonly isAtStart: boolean;
      /** Whether its last update is done: it is only to be finished. */
      readonly isTrained: boolean;
      readonly info: RunInfo;
    }
  /** A run that cannot be resumed. */
  | { readonly kind: 'closed'; readonly reason: string };

/** Looks at a folder and its lock; of a complete run a lock that a dead process left is taken away. */
export function folderState(folder: string, environment: Environment = nodeEnvironment): FolderState {
  const state = storedState(folder, environment);
  if (state.kind === 'absent') return state;
  const held = whyHeld(folder, environment);
  if (state.kind !== 'complete') return held ?? state;
  // A process that died between its last word and giving the lock back.
  if (held === null && fs.existsSync(lockPath(folder))) removeLeft(folder, environment);
  return state;
}

/** What a folder holds, whoever may write it. */
function storedState(folder: string, environment: Environment): FolderState {
  if (!fs.existsSync(runInfoPath(folder))) return { kind: 'absent' };
  let info: RunInfo;
  let steps: readonly number[];
  try {
    info = readRunInfo(folder);
    steps = checkpointSteps(folder);
  } catch (error) {
    if (error instanceof UserError) return { kind: 'closed', reason: error.message };
    throw error;
  }
  const { status, failure } = info;
  if (status === 'complete') return { kind: 'complete' };
  if (status === 'failed') return { kind: 'closed', reason: failure ?? 'it failed' };
  if (steps.length === 0) return { kind: 'untrained' };
  const isTrained = steps.at(-1) === info.stepsTotal;
  if (wasRecovered(folder, isTrained))
    return { kind: 'closed', reason: 'its tables were made files, by recover' };
  // A process of another machine that says it runs, but holds no lock, has ended without a word.
  const { label } = statusOfRun(folder, info, environment);
  return {
    kind: 'open',
    label: label.startsWith('running') ? 'interrupted (process gone)' : label,
    isAtStart: isAtStart(info, steps),
    isTrained,
    info,
  };
}

/** Whether the only checkpoint is that of the start; an exchanged half starts with one of the stages. */
function isAtStart({ exchangeOf, stages }: RunInfo, [first, ...later]: readonly number[]): boolean {
  if (later.length > 0) return false;
  return exchangeOf === undefined ? first === 0 : stages.some(({ firstStep }) => firstStep === first);
}

/** Why the lock of a folder cannot be had; null when it can. */
function whyHeld(folder: string, environment: Environment): FolderState | null {
  try {
    requireFree(folder, environment);
    return null;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { kind: error instanceof BusyError ? 'busy' : 'closed', reason: error.message };
  }
}

function removeLeft(folder: string, environment: Environment): void {
  try {
    acquireLock(folder, environment).release();
  } catch (error) {
    // It binds nobody, wherever it cannot be removed.
    if (!(error instanceof UserError)) throw error;
  }
}

/**
 * Whether `recover` took the streams that a resumed run goes on in. At the end of a run its streams become files one
 * after the other, so that files are no sign then; a stream that recover put away is.
 */
function wasRecovered(folder: string, trained: boolean): boolean {
  const names = tablesOfTraining.filter(
    (name) => fs.existsSync(filePath(folder, name)) || fs.existsSync(`${streamPath(folder, name)}.bak`),
  );
  if (!trained) return names.length > 0;
  return names.some((name) => fs.existsSync(`${streamPath(folder, name)}.bak`));
}
