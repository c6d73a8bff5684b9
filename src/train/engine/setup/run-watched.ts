import type { RunOptions, RunResult, SetupSystem } from './system.js';

const POLL_MS = 500;

/** How long a process may show no sign of work before it is ended. */
export interface Watch {
  /** A number that changes while the work goes on, such as the bytes downloaded so far. */
  readonly measure: () => Promise<number>;
  /** Milliseconds that may pass before the first change. */
  readonly startWithinMs: number;
  /** Milliseconds that may pass between two later changes. */
  readonly stallMs: number;
}

/**
 * Runs a process and ends it when its work stands still: a network that swallows packets would otherwise hold the
 * set-up for as long as the slowest time-out of the tool. `aborted` of the result is then true.
 */
export async function runWatched(
  system: SetupSystem,
  command: string,
  args: readonly string[],
  options: Omit<RunOptions, 'signal'>,
  watch: Watch,
): Promise<RunResult> {
  const abort = new AbortController();
  let last = await watch.measure();
  let changedAt = system.now();
  let started = false;
  const look = async () => {
    const value = await watch.measure();
    if (value !== last) {
      started = true;
      last = value;
      changedAt = system.now();
    } else if (system.now() - changedAt > (started ? watch.stallMs : watch.startWithinMs)) {
      abort.abort();
    }
  };
  const stop = system.every(POLL_MS, () => void look().catch(() => {}));
  try {
    return await system.run(command, args, { ...options, signal: abort.signal });
  } finally {
    stop();
  }
}
