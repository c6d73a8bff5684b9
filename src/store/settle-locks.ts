import { createNew } from './create-new.js';
import type { Environment } from './environment.js';
import { removeQuietly } from './file-system.js';
import { holderLine, parseHolder, readLock, textOfLock, type LockHolder } from './lock-holder.js';
import { clearGuard, describeHolder, guardPath, lockPath } from './lock.js';
import { isAlive } from './process-record.js';

/** A holder that shows no sign of life for so long is taken for gone, ms: six that did not come. */
const silentAfter = 60_000;

/** Time between two looks, ms. */
const lookEvery = 1_000;

/** A holder of which no sign was seen for so long, ms, is spoken of: signs come every ten seconds. */
const speakAfter = 15_000;

/** What was seen of a lock or a guard. */
interface Seen {
  readonly text: string;
  /** When the text was first seen, by the clock of this process. */
  readonly since: number;
  /** Whether it was seen to change while its holder stayed: a sign of life. */
  readonly hasBeaten: boolean;
}

/**
 * What this process has seen of locks, by path: whoever comes back to a folder need not wait again. A look that is old says
 * as much as a new one: what has not changed since then shows no signs of life.
 */
const seenBy = new WeakMap<Environment, Map<string, Seen>>();

/**
 * Finds out of locks whose process cannot be looked up from here (on another machine, in another container) whether it is
 * there: until it has shown a sign of life, or has been silent for a minute by the clock of this process. No clock of two
 * machines is compared. Locks of silent ones are removed; they notice it before they write again. All folders are waited for
 * together. Locks of processes that can be looked up, and of earlier versions, which show no signs, stay as they are.
 *
 * @param onMessage told once of holders that are waited for longer than they should let wait
 */
export async function settleLocks(
  folders: readonly string[],
  environment: Environment,
  onMessage: (message: string) => void = () => {},
): Promise<void> {
  const watch = new LockWatch(environment);
  const started = environment.elapsed();
  let hasSpoken = false;
  for (let open = folders; ;) {
    open = open.filter((folder) => !watch.isSettled(folder));
    if (open.length === 0) return;
    if (!hasSpoken && environment.elapsed() - started >= speakAfter) {
      hasSpoken = true;
      onMessage(watch.describe(open));
    }
    await environment.sleep(lookEvery);
  }
}

class LockWatch {
  private readonly seen: Map<string, Seen>;

  constructor(private readonly environment: Environment) {
    this.seen = seenBy.get(environment) ?? new Map<string, Seen>();
    seenBy.set(environment, this.seen);
  }

  /** Whether there is nothing more to find out about a folder's lock. */
  isSettled(folder: string): boolean {
    const isGuardSettled = this.isGuardSettled(folder);
    const path = lockPath(folder);
    const text = readLock(this.environment.fs, path);
    if (text === null) return isGuardSettled;
    const holder = parseHolder(text);
    // Of an earlier version, which shows no signs, silence says nothing; what is damaged has no holder that could.
    if (holder !== null && (holder.token === undefined || this.isKnown(holder))) return isGuardSettled;
    const { hasBeaten } = this.look(path, text);
    if (!this.isSilent(path)) return hasBeaten && isGuardSettled;
    this.remove(folder, text);
    return false;
  }

  /** The same of what guards a takeover, which takes no longer than a few calls: who is silent there was killed. */
  private isGuardSettled(folder: string): boolean {
    const { fs, processes } = this.environment;
    const path = guardPath(folder);
    const text = readLock(fs, path);
    const holder = parseHolder(text);
    if (text === null || (holder !== null && this.isKnown(holder))) return true;
    this.look(path, text);
    if (this.isSilent(path)) clearGuard(fs, folder, processes, (own) => own === text);
    return false;
  }

  private isKnown(holder: LockHolder): boolean {
    return isAlive(holder, this.environment.processes) !== null;
  }

  /** One line about holders that show no signs. */
  describe(folders: readonly string[]): string {
    const { fs, processes } = this.environment;
    const [first] = folders;
    const holder = parseHolder(readLock(fs, lockPath(first!)));
    const who =
      holder === null ? 'who' : `process ${holder.pid} on ${describeHolder(holder, processes)}, which`;
    const others = folders.length === 1 ? '' : ` and ${folders.length - 1} other run folders`;
    return `waiting for a sign of life of ${who} holds ${first}${others}; what nobody holds is continued in a minute`;
  }

  private look(path: string, text: string): Seen {
    const before = this.seen.get(path);
    if (before?.text === text) return before;
    const hasBeaten = before !== undefined && holderLine(before.text) === holderLine(text);
    const now = { text, since: this.environment.elapsed(), hasBeaten };
    this.seen.set(path, now);
    return now;
  }

  private isSilent(path: string): boolean {
    return this.environment.elapsed() - this.seen.get(path)!.since >= silentAfter;
  }

  /** Removes the lock of a silent holder, unless it is another's by now. */
  private remove(folder: string, silent: string): void {
    const { fs } = this.environment;
    const guard = guardPath(folder);
    const text = textOfLock(this.environment);
    if (!createNew(fs, guard, text)) return;
    try {
      const path = lockPath(folder);
      if (readLock(fs, path) === silent) fs.remove(path);
    } finally {
      removeQuietly(fs, guard);
    }
  }
}
