import { presentPValues, restore } from './family.js';

/**
 * Holm's adjusted p-values (1979): the i-th smallest of m times m - i + 1, made non-decreasing, at most 1.
 * Rejecting those of at most alpha keeps the probability of any false rejection at alpha, whatever the dependence.
 * `pValues`: `[member]`; null where a test is absent, which stays null and counts for nothing. Throws a RangeError
 * for a p-value outside [0, 1].
 *
 * @example holm([0.01, 0.04, 0.03]) // [0.03, 0.06, 0.06]
 */
export function holm(pValues: readonly (number | null)[]): (number | null)[] {
  const family = presentPValues(pValues);
  let largest = 0;
  const adjusted = family.map(({ p }, i) => {
    largest = Math.max(largest, Math.min(1, p * (family.length - i)));
    return largest;
  });
  return restore(pValues.length, family, adjusted);
}
