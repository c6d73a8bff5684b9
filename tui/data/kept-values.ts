import type { Outcome } from './run-source.js';

/**
 * A value that was kept under a name, as the type that is asked for under that name: each name is used in one place,
 * which reads and takes one type.
 */
export function asKept<T>(value: Outcome<unknown>): Outcome<T> {
  return value as Outcome<T>;
}
