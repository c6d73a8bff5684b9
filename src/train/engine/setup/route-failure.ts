import { UserError } from '../../../../data/errors.js';

/** A way to the native library that does not work here; the next one is tried. */
export class RouteFailure extends UserError {
  /** What a person can do about it, as an imperative without a full stop. */
  readonly remedy: string;

  /** `reason` is one line without a full stop that says what went wrong. */
  constructor(reason: string, remedy: string) {
    super(reason);
    this.remedy = remedy;
  }
}

/**
 * The failure that an error of a route stands for: failures as they are, refusals of the operating system (full
 * disk, no permission) turned into one. Throws everything else again, as a defect.
 */
export function asRouteFailure(error: unknown): RouteFailure {
  if (error instanceof RouteFailure) return error;
  if (error instanceof Error && 'syscall' in error) {
    return new RouteFailure(
      error.message,
      'see to that file or folder (GRADSCOPE_CACHE names another cache)',
    );
  }
  throw error;
}
