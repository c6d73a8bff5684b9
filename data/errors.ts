/**
 * A mistake of the user or of the user's machine, not of the program: a wrong key in a config, a missing file, a
 * full disk. The message is one line that says what, where and what to do; the command line prints it without a
 * stack trace and exits with 1.
 */
export class UserError extends Error {
  override readonly name = 'UserError';
}
