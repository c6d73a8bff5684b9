import { printableLines } from './printable.js';

/**
 * A mistake of the user or of the user's machine, not of the program: a wrong key in a config, a missing file, a
 * full disk. The message is one line that says what, where and what to do; the command line prints it without a
 * stack trace and exits with 1. Messages hold names and texts of files, which may be anything, so that what a terminal
 * would obey is escaped here, whoever prints it.
 */
export class UserError extends Error {
  override readonly name = 'UserError';

  constructor(message: string, options?: ErrorOptions) {
    super(printableLines(message), options);
  }
}
