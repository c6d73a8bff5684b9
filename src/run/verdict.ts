import { BusyError, UserError } from '../../data/errors.js';
import { hashConfig } from '../store/config-hash.js';
import { nodeEnvironment } from '../store/environment.js';
import { acquireLock } from '../store/lock.js';
import type { RunConfig } from './config.js';
import { discardRun } from './discard.js';
import { folderState } from './folder-state.js';
import type { RunRequest } from './request.js';
import { readStoredConfig } from './run-config.js';

/** What is to be done with the folder of a seed. */
export type FolderVerdict =
  | { readonly kind: 'train' | 'replace' | 'resume' | 'done' }
  /** It cannot be trained, or another process does. */
  | { readonly kind: 'leave' | 'busy'; readonly reason: string };

/**
 * Throws a UserError when the folder holds something that `existing` does not cover, a BusyError when another process
 * writes it.
 */
export function verdictOn(folder: string, config: RunConfig, request: RunRequest): FolderVerdict {
  const { existing, advice = adviceOfRun } = request;
  const goesOn = existing === 'resume' || existing === 'repair';
  const state = folderState(folder, request.environment);
  switch (state.kind) {
    case 'absent':
      return { kind: 'train' };
    case 'untrained':
      return { kind: 'replace' };
    case 'busy':
      if (goesOn) return { kind: 'busy', reason: state.reason };
      throw new BusyError(state.reason);
    case 'complete':
    case 'open':
    case 'closed':
  }
  if (existing === 'overwrite') return { kind: 'replace' };
  const reason = state.kind === 'closed' ? state.reason : null;
  if (reason === null && !isOfConfig(folder, config)) {
    if (existing === 'repair') return { kind: 'replace' };
    throw new UserError(`${folder}: holds a run of another config; ${advice.otherConfig}`);
  }
  if (state.kind === 'complete') return { kind: 'done' };
  if (state.kind === 'open') {
    // At its start it begins together with the other seeds, and so with the same sums of their gradients.
    if (goesOn) return { kind: state.isAtStart ? 'replace' : 'resume' };
    throw new UserError(
      `${folder}: holds a run that is ${state.label}; continue it with --existing resume, or replace it with --existing overwrite`,
    );
  }
  if (existing === 'repair') return { kind: 'replace' };
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

/** Removes the run of a folder that a new one replaces. Throws a BusyError when another process has begun to write it. */
export function clear(folder: string, { environment = nodeEnvironment }: RunRequest): void {
  const lock = acquireLock(folder, environment);
  try {
    discardRun(folder, environment.fs);
  } finally {
    lock.release();
  }
}
