import { assertEqualLength, assertProbability, count, unusable } from '../check.js';
import { absent, estimateOf } from '../estimate.js';
import type { Estimate, Unit } from '../estimate.js';
import { moments } from '../spread.js';
import { tEstimate } from '../t-interval.js';

/** Options of an interval. */
export interface IntervalOptions {
  /** Nominal coverage, 0.95 by default. */
  readonly level?: number;
}

/** Options of the mean of one number a unit. */
export interface MeanOptions extends IntervalOptions {
  /** What the values are one of each of: `seed` by default. */
  readonly unit?: Unit;
}

/**
 * Mean over seeds with its t interval, `mean +- t_{n-1} SD / sqrt(n)`, and the p-value of the t test against 0:
 * the default for a seed-level mean. `values`: `[seed]`, one finite number each, such as the mean over the seed's
 * entities; the spread of these numbers already holds the noise of the entities.
 *
 * Why t is the default: it needs no draws, agrees with the test and the power rule, and truly covers: in
 * simulations 93 to 96 % for 8 to 20 seeds, normal or of skewness 1, where a textbook BCa bootstrap covers 87 to 93
 * %. For seed values of skewness 2 it covers 92 %, and `studentisedMean` 93 to 94 %.
 *
 * Without an interval (`missing` says why) for one seed, and when all seeds gave the same number: no spread,
 * nothing to judge the next seed by. Absent for no seeds or a number that is not finite. Throws a RangeError when
 * `level` is not between 0 and 1.
 *
 * @example meanOverSeeds([1, 2, 3]) // estimate 2, interval [-0.484, 4.484], p 0.074
 */
export function meanOverSeeds(values: ArrayLike<number>, options: MeanOptions = {}): Estimate {
  const { level = 0.95, unit = 'seed' } = options;
  assertProbability('level', level);
  const reason = unusable(values, 1, unit);
  if (reason !== null) return absent(reason);
  const { n, mean, standardDeviation } = moments(Array.from(values));
  const units = unit === 'seed' ? { seeds: n } : { seeds: 1 };
  const common = { estimate: mean, level, method: 't', unit, units: n, ...units } as const;
  if (standardDeviation === null) {
    return estimateOf({ ...common, missing: `${count(1, unit)} shows no spread` });
  }
  const standardError = standardDeviation / Math.sqrt(n);
  if (standardError === 0) {
    return estimateOf({ ...common, standardError, missing: `all ${count(n, unit)} gave the same number` });
  }
  return tEstimate({ ...common, standardError, degreesOfFreedom: n - 1 });
}

/**
 * Mean over seeds of `treated - control`, `[seed]` each, with the t interval and t test of the differences. Entry i
 * of both must belong to the same seed: see `pairBySeed`. Everything else as in {@link meanOverSeeds}. Throws a
 * RangeError when the two differ in length.
 *
 * @example pairedDifference([3, 4, 8], [1, 2, 3]) // estimate 3, interval [-1.30, 7.30]
 */
export function pairedDifference(
  treated: ArrayLike<number>,
  control: ArrayLike<number>,
  options: MeanOptions = {},
): Estimate {
  return meanOverSeeds(differences(treated, control), options);
}

/** `[n]` `a[i] - b[i]`. Throws a RangeError when the two differ in length. */
export function differences(a: ArrayLike<number>, b: ArrayLike<number>): number[] {
  assertEqualLength('paired values', a, b);
  return Array.from(a, (value, i) => value - b[i]!);
}
