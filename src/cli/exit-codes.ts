import { BusyError } from '../../data/errors.js';

/**
 * Exit codes of the command line. A queue tells by them what to do with a task: `failed` and `usage` come again at every
 * try; after `again` and `stopped` the same command goes on.
 */
export const exitCodes = {
  /** All that was asked for is done. */
  done: 0,
  /** A run failed, or the input or the machine is at fault. */
  failed: 1,
  /** The command line is not understood. */
  usage: 2,
  /**
   * `EX_TEMPFAIL` of sysexits.h: stopped with a checkpoint because time is up (SIGUSR1, SIGUSR2), or all that is left is
   * held by other processes.
   */
  again: 75,
  /** Stopped with a checkpoint by Ctrl-C or SIGTERM; 128 + SIGINT, as a shell says it. */
  stopped: 130,
} as const;

/** The exit code for what ended a command. */
export function exitCodeOf(error: unknown): number {
  return error instanceof BusyError ? exitCodes.again : exitCodes.failed;
}

/** The exit code of runs that were brought to an end as far as possible: a failure counts before what others hold. */
export function exitCodeOfRuns(left: {
  readonly failed: readonly unknown[];
  readonly busy: readonly unknown[];
}): number {
  if (left.failed.length > 0) return exitCodes.failed;
  return left.busy.length > 0 ? exitCodes.again : exitCodes.done;
}
