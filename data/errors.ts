import { printableLines } from './printable.js';

/**
 * A mistake of the user or of the user's machine, not of the program: a wrong key in a config, a missing file, a
 * full disk. The message is one line that says what, where and what to do; the command line prints it without a
 * stack trace and exits with 1. Messages hold names and texts of files, which may be anything, so that what a terminal
 * would obey is escaped here, whoever prints it.
 */
export class UserError extends Error {
  override readonly name: string = 'UserError';

  constructor(message: string, options?: ErrorOptions) {
    super(printableLines(message), options);
  }
}

/**
 * What was asked for is held by another process: nothing is wrong, and the same command may succeed later. The command
 * line exits with a code of its own then, so that a queue can tell it from a failure.
 */
export class BusyError extends UserError {
  override readonly name = 'BusyError';

  /** @param folder what is held */
  constructor(
    message: string,
    readonly folder: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
