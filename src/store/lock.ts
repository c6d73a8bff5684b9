import { join } from 'node:path';
import { z } from 'zod';
import { BusyError, UserError } from '../../data/errors.js';
import { shellWord } from '../../data/shell-word.js';
import { AppendFile } from './append-file.js';
import type { Environment, Processes } from './environment.js';
import { removeQuietly, systemCode, systemMessage } from './file-system.js';
import type { FileSystem } from './file-system.js';
import { isAlive, placeOf, processSchema, thisProcess } from './process-record.js';
import { adviceFor } from './system-error.js';
import { removeRemains, temporaryPath } from './temporary.js';

const holderSchema = processSchema.extend({ started: z.string() });
type Holder = z.infer<typeof holderSchema>;

/** The right to write in a run folder, until it is released. */
export interface Lock {
  /**
   * Whether the folder's lock is still the one that was taken. It is not after a process that took this one for gone
   * was told so (`recover --unlock`), or when somebody removed the file: then nothing may be written any more. Throws
   * a UserError when the lock cannot be read.
   */
  isStillOurs(): boolean;
  /** Give the right back; a second call does nothing. Never throws: a lock whose process is gone binds nobody. */
  release(): void;
}

/** Path of a folder's lock. */
export function lockPath(folder: string): string {
  return join(folder, 'lock');
}

/** Exists while a dead process's lock is replaced. */
function guardPath(folder: string): string {
  return `${lockPath(folder)}.takeover`;
}

/**
 * Take the right to write in a run folder, by creating its file `lock`. A lock that a dead process of this machine
 * left is taken over, and what killed processes left under temporary names is removed. Throws a BusyError when another
 * process has the lock, a UserError when the folder cannot be written.
 */
export function acquireLock(folder: string, environment: Environment): Lock {
  const { fs, processes, now } = environment;
  const path = lockPath(folder);
  const text = JSON.stringify({ ...thisProcess(processes), started: now().toISOString() });
  // The lock may be released between the try to create it and the look at its holder.
  if (!create(fs, path, text) && (fs.exists(path) || !create(fs, path, text))) {
    takeOver(fs, folder, text, processes);
  }
  for (const own of [folder, join(folder, 'checkpoints')]) removeRemains(fs, own, environment);
  return {
    isStillOurs: () => readText(fs, path) === text,
    release() {
      try {
        if (readText(fs, path) === text) fs.remove(path);
      } catch {
        // On a device that fails or is read-only it stays, as after a kill, and is taken over like one of those.
      }
    },
  };
}

/**
 * Remove the lock of a folder whose process cannot be looked up, or a lock that is damaged. It is for people to say
 * that the process is gone. Gives whether there was one. Throws a UserError when the process is alive for sure, and
 * when the lock cannot be removed.
 */
export function removeLock(folder: string, { fs, processes }: Environment): boolean {
  const paths = [guardPath(folder), lockPath(folder)].filter((path) => fs.exists(path));
  for (const path of paths) {
    const holder = parse(readText(fs, path));
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
  refuseLive(folder, fs, processes);
  const guard = guardPath(folder);
  if (!create(fs, guard, text) && (!clearGuard(fs, folder, processes) || !create(fs, guard, text))) {
    throw new BusyError(
      `run folder ${folder} is being taken over by another process; try again, and if there is none: ${unlock(folder)}`,
    );
  }
  try {
    refuseLive(folder, fs, processes);
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
 * Remove the guard of a process that was killed while it took over; gives whether there is none any more. It is moved
 * away and looked at there, so that of several that find it dead none removes the guard of one that was faster.
 */
function clearGuard(fs: FileSystem, folder: string, processes: Processes): boolean {
  const guard = guardPath(folder);
  const isDead = (path: string): boolean => {
    const holder = parse(readText(fs, path));
    return holder !== null && isAlive(holder, processes) === false;
  };
  if (!isDead(guard)) return !fs.exists(guard);
  const aside = temporaryPath(guard, processes);
  try {
    fs.rename(guard, aside);
    const wasDead = isDead(aside);
    if (!wasDead) fs.link(aside, guard);
    fs.remove(aside);
    return wasDead;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return true;
    throw new UserError(`${guard}: cannot be removed (${systemMessage(error)})`, { cause: error });
  }
}

function refuseLive(folder: string, fs: FileSystem, processes: Processes): void {
  const path = lockPath(folder);
  const text = readText(fs, path);
  if (text === null) return;
  const holder = parse(text);
  if (holder === null) {
    throw new UserError(
      `run folder ${folder} is locked, and its lock does not say by which process; if none writes it: ${unlock(folder)}`,
    );
  }
  if (isAlive(holder, processes) !== false) throw beingWritten(folder, holder, processes);
}

function beingWritten(folder: string, holder: Holder, processes: Processes): BusyError {
  const isKnown = isAlive(holder, processes) === true;
  const place = isKnown ? holder.host : placeOf(holder, processes);
  const advice = isKnown ? 'wait for it or stop it' : `if that process is gone: ${unlock(folder)}`;
  return new BusyError(
    `run folder ${folder} is being written by process ${holder.pid} on ${place} since ${holder.started}; ${advice}`,
  );
}

/** The command that frees a folder. */
function unlock(folder: string): string {
  return `npx gradscope recover --unlock ${shellWord(folder)}`;
}

/**
 * Create a file that must not exist; gives false when it does. It gets its name with its content, so that a kill leaves
 * no lock that says nothing.
 */
function create(fs: FileSystem, path: string, text: string): boolean {
  const temporary = temporaryPath(path);
  try {
    writeNew(fs, temporary, text);
    fs.link(temporary, path);
    return true;
  } catch (error) {
    const code = systemCode(error);
    if (code === 'EEXIST') return false;
    if (error instanceof UserError) throw error;
    if (withoutLinks.has(code) && fs.exists(temporary)) return createInPlace(fs, path, text);
    throw new UserError(`${path}: cannot be created (${systemMessage(error)}); ${adviceFor(code)}`, {
      cause: error,
    });
  } finally {
    removeQuietly(fs, temporary);
  }
}

/** What file systems answer that have no hard links (FAT, some FUSE and network mounts). */
const withoutLinks: ReadonlySet<string | undefined> = new Set([
  'EPERM',
  'ENOTSUP',
  'EOPNOTSUPP',
  'ENOSYS',
  'EMLINK',
]);

function createInPlace(fs: FileSystem, path: string, text: string): boolean {
  try {
    writeNew(fs, path, text);
    return true;
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    throw error;
  }
}

function writeNew(fs: FileSystem, path: string, text: string): void {
  const file = new AppendFile(fs, path, 'run folder', fs.open(path, 'new'), 0);
  try {
    file.append([new TextEncoder().encode(text)]);
  } catch (error) {
    removeQuietly(fs, path);
    throw error;
  } finally {
    file.close();
  }
}

function readText(fs: FileSystem, path: string): string | null {
  try {
    return fs.readText(path);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null;
    throw new UserError(
      `${path}: cannot be read (${systemMessage(error)}); ${adviceFor(systemCode(error))}`,
      {
        cause: error,
      },
    );
  }
}

function parse(text: string | null): Holder | null {
  try {
    return holderSchema.parse(JSON.parse(text ?? ''));
  } catch {
    return null;
  }
}
