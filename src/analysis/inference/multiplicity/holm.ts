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
  return holmOfDisjoint(pValues.map((p) => [p])).map(([p]) => p ?? null);
}

/**
 * {@link holm} where some members have several null hypotheses of which at most one can be true, such as "there is no
 * effect" and "the effect is larger than the band". `pValues`: `[member][hypothesis]`, gives the same shape. Of m members no
 * more than m null hypotheses are true, and a rejection leaves one fewer only where it was the last of its member (Shaffer
 * 1986, J. Am. Stat. Assoc. 81:826, procedure S1): the factor of a p-value is the number of members with a hypothesis
 * that is not rejected before it. Throws a RangeError for a p-value outside [0, 1].
 *
 * @example holmOfDisjoint([[0.9, 0.001], [0.04]]) // [[0.9, 0.002], [0.08]]
 */
export function holmOfDisjoint(pValues: readonly (readonly (number | null)[])[]): (number | null)[][] {
  const flat = pValues.flat();
  const family = presentPValues(flat);
  const memberOf = pValues.flatMap((own, member) => own.map(() => member));
  const left = pValues.map((own) => own.filter((p) => p !== null).length);
  let largest = 0;
  const adjusted = family.map(({ p, index }) => {
    const members = left.filter((own) => own > 0).length;
    left[memberOf[index]!]!--;
    largest = Math.max(largest, Math.min(1, p * members));
    return largest;
  });
  const restored = restore(flat.length, family, adjusted);
  return pValues.map((own) => restored.splice(0, own.length));
}
