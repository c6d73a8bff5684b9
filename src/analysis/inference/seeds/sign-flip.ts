import { mean } from 'simple-statistics';
import type { RandomStream } from '../../../../data/random/streams.js';
import { unusable } from '../check.js';
import { absent } from '../estimate.js';
import { extremity, permutationPValue, tieTolerance } from '../permutation/p-value.js';
import { signFlips } from '../permutation/sign-flips.js';
import type { PermutationOptions } from '../permutation/sign-flips.js';
import type { Alternative, TestResult } from '../test-result.js';

/** Options of {@link signFlipTest}. */
export interface SignFlipOptions extends PermutationOptions {
  /** `two-sided` by default. */
  readonly alternative?: Alternative;
}

/**
 * Sign-flip permutation test of "the differences are symmetric about 0" over seeds; statistic: the mean. Exact up
 * to 14 seeds (16,384 sign vectors), `draws` random vectors from `stream` beyond. `values`: `[seed]`, paired
 * differences.
 *
 * Two-sided p is never below 2^(1-n), so that fewer than 6 seeds cannot reach 5 %: `smallestPValue` says so.
 * Absent for no seeds or a number that is not finite. Throws a RangeError when `draws` is no positive integer.
 *
 * @example signFlipTest([1, 2, 3, 4, 5, 6], stream) // p = 2 / 64
 */
export function signFlipTest(
  values: ArrayLike<number>,
  stream: RandomStream,
  options: SignFlipOptions = {},
): TestResult {
  const { alternative = 'two-sided' } = options;
  const reason = unusable(values, 1, 'seed');
  if (reason !== null) return absent(reason);
  const n = values.length;
  const streamState = stream.state();
  const { exact, total, vectors } = signFlips(n, stream, options);
  const numbers = Array.from(values);
  const observed = extremity(
    numbers.reduce((sum, value) => sum + value, 0),
    alternative,
  );
  const threshold = observed - tieTolerance(numbers.reduce((sum, value) => sum + Math.abs(value), 0));
  let extreme = 0;
  for (const signs of vectors) {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += signs[i]! * numbers[i]!;
    if (extremity(sum, alternative) >= threshold) extreme++;
  }
  const sides = alternative === 'two-sided' ? 2 : 1;
  return {
    kind: 'value',
    test: 'sign-flip',
    statistic: mean(numbers),
    pValue: permutationPValue({ extreme, total, exact }),
    alternative,
    smallestPValue: exact ? sides / total : 1 / (1 + total),
    unit: 'seed',
    units: n,
    seeds: n,
    resampling: exact ? null : { draws: total, streamState },
  };
}
