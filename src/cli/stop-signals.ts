import type { ProgressLine } from './progress.js';

/** Ctrl-C and SIGTERM as a wish to stop. */
export interface StopSignals {
  /** Aborted by the first one; a second one ends the process. */
  readonly signal: AbortSignal;
  /** Leaves the signals to Node again. */
  release(): void;
}

/** Listens for signals and tells people what they did. */
export function listenForStop(line: ProgressLine): StopSignals {
  const abort = new AbortController();
  const stop = (): void => {
    if (abort.signal.aborted) process.exit(130);
    abort.abort();
    line.message('stopping at the next step, with a checkpoint (again to stop at once)');
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  return {
    signal: abort.signal,
    release: () => {
      process.off('SIGINT', stop);
      process.off('SIGTERM', stop);
    },
  };
}
