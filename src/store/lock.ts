import { dirname, join } from 'node:path';
import { z } from 'zod';
import { UserError } from '../../data/errors.js';
import { AppendFile } from './append-file.js';
import type { Environment, Processes } from './environment.js';
import { systemCode, systemMessage } from './file-system.js';
import type { FileSystem } from './file-system.js';

/** The process that writes a run folder. */
export const processSchema = z.object({
  pid: z.int(),
  host: z.string(),
  /** {@link Processes.birth} of the process; tells it from a later one with its id. */
  birth: z.string(),
});

export type ProcessRecord = z.infer<typeof processSchema>;

const holderSchema = processSchema.extend({ started: z.string() });
type Holder = z.infer<typeof holderSchema>;

/** This process. */
export function thisProcess({ pid, host, birth }: Processes): ProcessRecord {
  return { pid, host, birth: birth(pid) ?? '' };
}

/** Whether a process of this machine still lives; null for a process of another machine, of which nothing is known. */
export function isAlive({ pid, host, birth }: ProcessRecord, processes: Processes): boolean | null {
  return host === processes.host ? processes.birth(pid) === birth : null;
}

/** The right to write in a run folder, until it is released. */
export interface Lock {
  /** Give the right back; a second call does nothing. */
  release(): void;
}

/**
 * Take the right to write in a run folder, by creating its file `lock`. A lock that a dead process of this machine
 * left is taken over. Throws a UserError when another process has it, or when the folder cannot be written.
 */
export function acquireLock(folder: string, { fs, processes, now }: Environment): Lock {
  const path = join(folder, 'lock');
  const text = JSON.stringify({ ...thisProcess(processes), started: now().toISOString() });
  // The lock may be released between the try to create it and the look at its holder.
  if (!create(fs, path, text) && (fs.exists(path) || !create(fs, path, text))) {
    takeOver(fs, path, text, processes);
  }
  return {
    release() {
      if (readText(fs, path) === text) fs.remove(path);
    },
  };
}

/**
 * Replace a dead process's lock. Two processes may find it at the same time, so that it is replaced only by the one
 * that creates the guard, and only if it is still the dead process's.
 */
function takeOver(fs: FileSystem, path: string, text: string, processes: Processes): void {
  refuseLive(path, fs, processes);
  const guard = `${path}.takeover`;
  if (!create(fs, guard, text)) {
    throw new UserError(
      `run folder ${dirname(path)} is being taken over by another process; if there is none, remove ${guard}`,
    );
  }
  try {
    refuseLive(path, fs, processes);
    fs.rename(guard, path);
  } catch (error) {
    fs.remove(guard);
    throw error;
  }
}

function refuseLive(path: string, fs: FileSystem, processes: Processes): void {
  const folder = dirname(path);
  const holder = parse(readText(fs, path));
  if (holder === null) {
    throw new UserError(
      `run folder ${folder} is being written by a process that has only begun; if there is none, remove ${path}`,
    );
  }
  const alive = isAlive(holder, processes);
  if (alive === false) return;
  const advice = alive === null ? `; if that process is gone, remove ${path}` : '; wait for it or stop it';
  throw new UserError(
    `run folder ${folder} is being written by process ${holder.pid} on ${holder.host} since ${holder.started}${advice}`,
  );
}

/** Create a file that must not exist; gives false when it does. */
function create(fs: FileSystem, path: string, text: string): boolean {
  try {
    const file = new AppendFile(fs, path, 'run folder', fs.open(path, 'new'), 0);
    try {
      file.append([new TextEncoder().encode(text)]);
    } catch (error) {
      fs.remove(path);
      throw error;
    } finally {
      file.close();
    }
    return true;
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    if (error instanceof UserError) throw error;
    throw new UserError(`${path}: cannot be created (${systemMessage(error)})`, { cause: error });
  }
}

function readText(fs: FileSystem, path: string): string | null {
  try {
    return fs.readText(path);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null;
    throw new UserError(`${path}: cannot be read (${systemMessage(error)})`, { cause: error });
  }
}

function parse(text: string | null): Holder | null {
  try {
    return holderSchema.parse(JSON.parse(text ?? ''));
  } catch {
    return null;
  }
}
