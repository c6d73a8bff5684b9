import { UserError } from '../../data/errors.js';
import type { Environment } from './environment.js';
import type { FileSystem } from './file-system.js';
import { parseHolder, readLock } from './lock-holder.js';
import { lockPath } from './lock.js';
import { isAlive, placeOf } from './process-record.js';
import type { RunInfo } from './run-info.js';

/** What a run's status is now. */
export interface EffectiveStatus {
  readonly status: RunInfo['status'];
  /** The status for people: `interrupted (process gone)`. */
  readonly label: string;
}

/**
 * A process that gave no sign of life for so long, ms, is shown as gone. It gives one every ten seconds; a network file
 * system shows it half a minute later, and the clocks of two machines are rarely so far apart. Nothing is decided by this: who
 * takes a run over watches its lock by a clock of his own.
 */
const shownAsSilentAfter = 120_000;

/**
 * The status of a run, which is `interrupted` for one that says `running` although its process is gone: it does not live here any
 * more, or, where it cannot be looked up from here, its lock is gone or shows no signs of life. Of a lock of an earlier
 * version, which never shows any, nothing is known: the label names the machine.
 */
export function statusOfRun(
  folder: string,
  info: RunInfo,
  { fs, processes, now }: Pick<Environment, 'fs' | 'processes' | 'now'>,
): EffectiveStatus {
  const { status } = info;
  if (status !== 'running') return { status, label: status };
  const alive = isAlive(info.process, processes);
  if (alive === true) return { status, label: status };
  const gone = { status: 'interrupted', label: 'interrupted (process gone)' } as const;
  if (alive === false) return gone;
  const lock = lookAtLock(fs, lockPath(folder));
  if (lock === null) return gone;
  const silence = lock.shownAt === null ? 0 : now().getTime() - lock.shownAt;
  return silence > shownAsSilentAfter
    ? { status: 'interrupted', label: `interrupted (no sign of life for ${minutes(silence)})` }
    : { status, label: `running on ${placeOf(info.process, processes)}` };
}

/** When a lock last showed a sign of life, Unix time in ms, null for one that shows none; null without a lock. */
function lookAtLock(fs: FileSystem, path: string): { readonly shownAt: number | null } | null {
  try {
    const text = readLock(fs, path);
    if (text === null) return null;
    return { shownAt: parseHolder(text)?.token === undefined ? null : fs.modified(path) };
  } catch (error) {
    // What cannot be read says nothing, and is for whoever wants the lock to complain about.
    if (error instanceof UserError) return { shownAt: null };
    throw error;
  }
}

/** `12 min`, `3 h 20 min`, `2 days`. */
function minutes(ms: number): string {
  const whole = Math.floor(ms / 60_000);
  if (whole < 60) return `${whole} min`;
  const hours = Math.floor(whole / 60);
  if (hours < 48) return `${hours} h ${whole % 60} min`;
  return `${Math.floor(hours / 24)} days`;
}
