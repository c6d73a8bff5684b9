import type { RandomStream } from '../../../../data/random/streams.js';
import { assertInteger, unusable } from '../check.js';
import { absent } from '../estimate.js';
import { permutationPValue } from '../permutation/p-value.js';
import { defaultPermutations } from '../permutation/sign-flips.js';
import type { PermutationOptions } from '../permutation/sign-flips.js';
import type { Alternative, TestResult } from '../test-result.js';

/** Options of the tests for a trend over ordered arms. */
export interface TrendOptions extends PermutationOptions {
  /** `two-sided` by default; `greater` is a rise in the stated order. */
  readonly alternative?: Alternative;
}

/** Largest number of values for which the distribution is counted out; its counts stay exact integers below 2^53. */
const exactValues = 25;

/**
 * Jonckheere-Terpstra test of "all arms alike" against a rise or fall over ordered arms (Jonckheere 1954).
 * Statistic J: the number of pairs of values from two arms that are in the stated order, ties a half. `arms`:
 * `[arm][run]` in the predicted order, independent runs: where all arms share their seeds use `pageTest`.
 *
 * Exact for up to 25 values without ties, by the counts of a product of Gaussian binomials; `draws` random
 * permutations of the values over the arms otherwise. Two-sided: distance from the null mean (N^2 - sum n_k^2) / 4.
 * Absent for fewer than 2 arms, an arm without runs or a number that is not finite. Throws a RangeError when
 * `draws` is no positive integer.
 *
 * @example jonckheereTest([[1, 2], [3, 4], [5, 6]], stream) // J = 12, p = 2 / 90
 */
export function jonckheereTest(
  arms: readonly ArrayLike<number>[],
  stream: RandomStream,
  options: TrendOptions = {},
): TestResult {
  const { draws = defaultPermutations, alternative = 'two-sided' } = options;
  assertInteger('draws', draws, 1);
  if (arms.length < 2) return absent(`${arms.length} arms, at least 2 needed`);
  for (const [i, arm] of arms.entries()) {
    const reason = unusable(arm, 1, 'seed');
    if (reason !== null) return absent(`arm ${i + 1} of ${arms.length}: ${reason}`);
  }
  const sizes = arms.map((arm) => arm.length);
  const values = Float64Array.from(arms.flatMap((arm) => Array.from(arm)));
  const n = values.length;
  const statistic = orderedPairs(values, sizes);
  const centre = (n * n - sizes.reduce((sum, size) => sum + size * size, 0)) / 4;
  const extremity = (j: number): number => {
    if (alternative === 'two-sided') return Math.abs(j - centre);
    return alternative === 'greater' ? j : -j;
  };
  const observed = extremity(statistic);
  const exact = n <= exactValues && new Set(values).size === n;
  const streamState = stream.state();
  const permuted = values.slice();
  let extreme = 0;
  let total = 0;
  let smallest = 1;
  if (exact) {
    for (const [j, ways] of nullCounts(sizes).entries()) {
      total += ways;
      if (extremity(j) >= observed) extreme += ways;
    }
    smallest = alternative === 'two-sided' ? 2 : 1;
  } else {
    for (; total < draws; total++) {
      stream.shuffle(permuted);
      if (extremity(orderedPairs(permuted, sizes)) >= observed) extreme++;
    }
  }
  return {
    kind: 'value',
    test: 'jonckheere-terpstra',
    statistic,
    pValue: permutationPValue({ extreme, total, exact }),
    alternative,
    smallestPValue: exact ? smallest / total : 1 / (1 + total),
    unit: 'seed',
    units: n,
    seeds: n,
    resampling: exact ? null : { draws, streamState },
  };
}

/** J of `values`, arm after arm. */
function orderedPairs(values: Float64Array, sizes: readonly number[]): number {
  let j = 0;
  let start = 0;
  for (const size of sizes) {
    for (let later = start; later < start + size; later++) {
      for (let earlier = 0; earlier < start; earlier++) {
        const [a, b] = [values[earlier]!, values[later]!];
        j += a < b ? 1 : a === b ? 0.5 : 0;
      }
    }
    start += size;
  }
  return j;
}

/**
 * `[J]` number of ways to give N different values to the arms with that J: the coefficients of the
 * Gaussian multinomial
 * prod_{k=1}^{N} (1 - q^k) / prod_arms prod_{k=1}^{n_arm} (1 - q^k).
 */
function nullCounts(sizes: readonly number[]): Float64Array {
  const n = sizes.reduce((sum, size) => sum + size, 0);
  const top = (n * n - sizes.reduce((sum, size) => sum + size * size, 0)) / 2;
  const counts = new Float64Array(top + 1);
  counts[0] = 1;
  let before = 0;
  for (const size of sizes) {
    // One Gaussian binomial, a polynomial at every step: no coefficient exceeds the final number of ways.
    for (let k = 1; k <= size; k++) {
      for (let j = top; j >= before + k; j--) counts[j]! -= counts[j - before - k]!;
      for (let j = k; j <= top; j++) counts[j]! += counts[j - k]!;
    }
    before += size;
  }
  return counts;
}
