import { presentPValues, restore } from './family.js';

/**
 * Benjamini and Hochberg's adjusted p-values (1995): the i-th smallest of m times m / i, made non-decreasing from
 * the largest down, at most 1. Rejecting those of at most q keeps the expected share of false ones among the
 * rejected at q for independent or positively dependent tests. `pValues`: `[member]`; null where a test is absent,
 * which stays null and counts for nothing. Throws a RangeError for a p-value outside [0, 1].
 *
 * @example benjaminiHochberg([0.01, 0.04, 0.03]) // [0.03, 0.04, 0.04]
 */
export function benjaminiHochberg(pValues: readonly (number | null)[]): (number | null)[] {
  const family = presentPValues(pValues);
  let smallest = 1;
  const adjusted = family
    .map(({ p }, i) => (p * family.length) / (i + 1))
    .reduceRight<number[]>((done, p) => {
      smallest = Math.min(smallest, p);
      done.unshift(smallest);
      return done;
    }, []);
  return restore(pValues.length, family, adjusted);
}
