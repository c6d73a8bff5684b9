import { performance } from 'node:perf_hooks';
import type { ProgressLine } from './progress.js';

/** The wish to stop: Ctrl-C, a scheduler's SIGTERM, a terminal that is closed. */
export interface StopSignals {
  /** Aborted by the first one. */
  readonly signal: AbortSignal;
  /** Leaves the signals to Node again. */
  release(): void;
}

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * One key press reaches a process several times where a parent (npx, a batch script) passes it on: a second Ctrl-C
 * counts when it comes this much later, in ms.
 */
const pressedAgainAfter = 1000;

/**
 * Listens for signals and tells people what they did. However many come, the process ends at the next step, with a
 * checkpoint; only a second Ctrl-C ends it at once, as a kill would.
 *
 * @param does what the process does then, for people
 */
export function listenForStop(
  line: Pick<ProgressLine, 'message'>,
  does = 'stopping at the next step, with a checkpoint',
): StopSignals {
  const abort = new AbortController();
  let first = 0;
  const stop = (name: NodeJS.Signals): void => {
    if (!abort.signal.aborted) {
      first = performance.now();
      abort.abort();
      line.message(`${does} (Ctrl-C again to stop at once)`);
    } else if (name === 'SIGINT' && performance.now() - first > pressedAgainAfter) process.exit(130);
  };
  for (const name of signals) process.on(name, stop);
  return {
    signal: abort.signal,
    release: () => {
      for (const name of signals) process.off(name, stop);
    },
  };
}
