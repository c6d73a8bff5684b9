import { join } from 'node:path';
import { BusyError, UserError } from '../../data/errors.js';
import { shellWord } from '../../data/shell-word.js';
import { createNew } from './create-new.js';
import type { Environment, Processes } from './environment.js';
import { removeQuietly, systemCode, systemMessage } from './file-system.js';
import type { FileSystem } from './file-system.js';
import { holderLine, parseHolder, readLock, textOfLock, type LockHolder } from './lock-holder.js';
import { isAlive, placeOf } from './process-record.js';
import { adviceFor } from './system-error.js';
import { removeRemains, temporaryPath } from './temporary.js';

/** The right to write in a run folder, until it is released. */
export interface Lock {
  /**
   * Whether the folder's lock is still the one that was taken. It is not after a process that took this one for gone
   * was told so (`recover --unlock`) or saw no sign of life for a minute, or when somebody removed the file: then nothing
   * may be written any more. Throws a UserError when the lock cannot be read.
   */
  isStillOurs(): boolean;
  /** Give the right back; a second call does nothing. Never throws: a lock whose process is gone binds nobody. */
  release(): void;
}

/** Path of a folder's lock. */
export function lockPath(folder: string): string {
  return join(folder, 'lock');
}

/** Exists while the lock of a process that is gone is replaced or removed. */
export function guardPath(folder: string): string {
  return `${lockPath(folder)}.takeover`;
}

/**
 * Take the right to write in a run folder, by creating its file `lock`, and show signs of life in it until it is given back. A
 * lock that a dead process left which could be looked up from here is taken over, and what killed processes left under
 * temporary names is removed. Of other processes nothing is known at once: `settleLocks` waits until it is. Throws a BusyError
 * when another process has the lock, a UserError when the folder cannot be written.
 */
export function acquireLock(folder: string, environment: Environment): Lock {
  const { fs, processes } = environment;
  const path = lockPath(folder);
  const text = textOfLock(environment);
  // The lock may be released between the try to create it and the look at its holder.
  if (!createNew(fs, path, text) && (fs.exists(path) || !createNew(fs, path, text))) {
    takeOver(fs, folder, text, processes);
  }
  for (const own of [folder, join(folder, 'checkpoints')]) removeRemains(fs, own, environment);
  const holder = holderLine(text);
  const stopHeartbeat = environment.heartbeat(path, holder);
  const isStillOurs = (): boolean => holderLine(readLock(fs, path) ?? '') === holder;
  return {
    isStillOurs,
    release() {
      stopHeartbeat();
      try {
        if (isStillOurs()) fs.remove(path);
      } catch {
        // On a device that fails or is read-only it stays, as after a kill, and is taken over like one of those.
      }
    },
  };
}

/**
 * Throws a BusyError when another process has a folder's lock, or may have it, and a UserError when that cannot be told. The
 * lock is looked at, and not taken: of several processes that look none is in another's way.
 */
export function requireFree(folder: string, { fs, processes }: Pick<Environment, 'fs' | 'processes'>): void {
  const path = lockPath(folder);
  const text = readLock(fs, path);
  if (text === null) return;
  const holder = parseHolder(text);
  if (holder === null) {
    throw new BusyError(
      `run folder ${folder} is locked, and its lock does not say by which process; if none writes it: ${unlock(folder)}`,
      folder,
    );
  }
  if (isAlive(holder, processes) !== false) throw beingWritten(folder, holder, processes);
}

/**
 * Remove the lock of a folder whose process cannot be looked up, or a lock that is damaged. It is for people to say
 * that the process is gone. Gives whether there was one. Throws a UserError when the process is alive for sure, and
 * when the lock cannot be removed.
 */
export function removeLock(folder: string, { fs, processes }: Environment): boolean {
  const paths = [guardPath(folder), lockPath(folder)].filter((path) => fs.exists(path));
  for (const path of paths) {
    const holder = parseHolder(readLock(fs, path));
    if (holder !== null && isAlive(holder, processes) === true) throw beingWritten(folder, holder, processes);
  }
  for (const path of paths) {
    try {
      fs.remove(path);
    } catch (error) {
      throw new UserError(
        `${path}: cannot be removed (${systemMessage(error)}); ${adviceFor(systemCode(error))}`,
        { cause: error },
      );
    }
  }
  return paths.length > 0;
}

/**
 * Replace a dead process's lock. Two processes may find it at the same time, so that it is replaced only by the one
 * that creates the guard, and only if it is still the dead process's.
 */
function takeOver(fs: FileSystem, folder: string, text: string, processes: Processes): void {
  const world = { fs, processes };
  requireFree(folder, world);
  const guard = guardPath(folder);
  const isDead = (left: string | null): boolean => {
    const holder = parseHolder(left);
    return holder !== null && isAlive(holder, processes) === false;
  };
  if (
    !createNew(fs, guard, text) &&
    (!clearGuard(fs, folder, processes, isDead) || !createNew(fs, guard, text))
  ) {
    throw new BusyError(
      `run folder ${folder} is being taken over by another process; try again, and if there is none: ${unlock(folder)}`,
      folder,
    );
  }
  try {
    requireFree(folder, world);
    fs.rename(guard, lockPath(folder));
  } catch (error) {
    removeQuietly(fs, guard);
    throw error instanceof UserError
      ? error
      : new UserError(`${lockPath(folder)}: cannot be taken over (${systemMessage(error)})`, {
          cause: error,
        });
  }
}

/**
 * Remove a guard that was left by a process that is gone; gives whether there is none any more. It is moved away and looked
 * at there, so that of several that find it left none removes the guard of one that was faster.
 *
 * @param isLeft whether the text of a guard is that of a process that is gone
 */
export function clearGuard(
  fs: FileSystem,
  folder: string,
  processes: Processes,
  isLeft: (text: string | null) => boolean,
): boolean {
  const guard = guardPath(folder);
  if (!isLeft(readLock(fs, guard))) return !fs.exists(guard);
  const aside = temporaryPath(guard, processes);
  try {
    fs.rename(guard, aside);
    const wasLeft = isLeft(readLock(fs, aside));
    if (!wasLeft) fs.link(aside, guard);
    fs.remove(aside);
    return wasLeft;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return true;
    throw new UserError(`${guard}: cannot be removed (${systemMessage(error)})`, { cause: error });
  }
}

function beingWritten(folder: string, holder: LockHolder, processes: Processes): BusyError {
  const { pid, started, token } = holder;
  const advice =
    isAlive(holder, processes) === true
      ? 'wait for it or stop it'
      : token === undefined
        ? `if that process is gone: ${unlock(folder)}`
        : 'wait for it or stop it; a minute after its last sign of life the run can be resumed';
  return new BusyError(
    `run folder ${folder} is being written by process ${pid} on ${describeHolder(holder, processes)} since ${started}; ${advice}`,
    folder,
  );
}

/** Where the holder of a lock is, for people: `n1 (Slurm job 17_3)`. */
export function describeHolder(holder: LockHolder, processes: Processes): string {
  const place = isAlive(holder, processes) === true ? holder.host : placeOf(holder, processes);
  return holder.job === undefined ? place : `${place} (${holder.job})`;
}

/** The command that frees a folder. */
function unlock(folder: string): string {
  return `npx gradscope recover --unlock ${shellWord(folder)}`;
}
