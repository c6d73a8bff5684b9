import type { RandomStream } from '../../../../data/random/streams.js';
import { unusable } from '../check.js';
import { absent } from '../estimate.js';
import { permutationPValue } from '../permutation/p-value.js';
import { signFlips } from '../permutation/sign-flips.js';
import type { PermutationOptions } from '../permutation/sign-flips.js';
import type { TestResult } from '../test-result.js';

/** Room for rounding when two statistics, cosines in [0, 1], are compared. */
const tolerance = 1e-12;

/**
 * Max-statistic permutation test of a family (layers, steps) by sign flips over seeds, two-sided, step-down
 * (Westfall and Young 1993, algorithm 4.1): the p-values are adjusted for the whole family, and unlike Holm's they
 * use that neighbouring layers agree. All members of a seed get the same sign. Exact up to 14 seeds, `draws` random
 * flips beyond.
 *
 * `family`: `[member][seed]` paired differences, the same seeds in the same order for all. `statistic` of the
 * results is |mean| / root mean square of the member, in [0, 1]: it rises with |t| and is finite without spread. A
 * member with a number that is not finite is absent and takes no part. Throws a RangeError when the members differ
 * in their number of seeds or `draws` is no positive integer.
 */
export function maxStatisticTest(
  family: readonly ArrayLike<number>[],
  stream: RandomStream,
  options: PermutationOptions = {},
): readonly TestResult[] {
  const n = family[0]?.length ?? 0;
  if (family.some((member) => member.length !== n)) {
    throw new RangeError(`members differ in seeds: ${family.map((member) => member.length).join(', ')}`);
  }
  const members = family.map((values, index) => ({ index, values, reason: unusable(values, 2, 'seed') }));
  const ordered = members
    .filter(({ reason }) => reason === null)
    .map(({ index, values }) => ({ index, ...scaled(values) }))
    .sort((a, b) => b.cosine - a.cosine);
  const results: TestResult[] = members.map(({ reason }) => absent(reason ?? 'not tested'));
  if (ordered.length === 0) return results;

  const streamState = stream.state();
  const { exact, total, vectors } = signFlips(n, stream, options);
  const extreme = new Float64Array(ordered.length);
  for (const signs of vectors) {
    let largest = 0;
    for (let k = ordered.length - 1; k >= 0; k--) {
      const { terms, cosine } = ordered[k]!;
      let sum = 0;
      for (let i = 0; i < n; i++) sum += signs[i]! * terms[i]!;
      largest = Math.max(largest, Math.abs(sum));
      if (largest >= cosine - tolerance) extreme[k]!++;
    }
  }
  let pValue = 0;
  for (const [k, { index, cosine }] of ordered.entries()) {
    pValue = Math.max(pValue, permutationPValue({ extreme: extreme[k]!, total, exact }));
    results[index] = {
      kind: 'value',
      test: 'max-statistic',
      statistic: cosine,
      pValue,
      alternative: 'two-sided',
      smallestPValue: exact ? 2 / total : 1 / (1 + total),
      unit: 'seed',
      units: n,
      seeds: n,
      resampling: exact ? null : { draws: total, streamState },
    };
  }
  return results;
}

/** Terms whose signed sum is the cosine of the member with the sign vector: value / (sqrt(n) * norm). */
function scaled(values: ArrayLike<number>): { readonly terms: Float64Array; readonly cosine: number } {
  const terms = Float64Array.from(values);
  const norm = Math.hypot(...terms) * Math.sqrt(terms.length);
  for (let i = 0; i < terms.length; i++) terms[i] = norm === 0 ? 0 : terms[i]! / norm;
  return { terms, cosine: Math.abs(terms.reduce((sum, term) => sum + term, 0)) };
}
