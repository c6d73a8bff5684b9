import { gammaln } from 'simple-statistics';
import { assertProbability, count, unusable } from '../check.js';
import { noncentralTCdf } from '../distributions/noncentral-t.js';
import { absent, estimateOf } from '../estimate.js';
import type { Estimate, Interval } from '../estimate.js';
import { findRoot } from '../root.js';
import { moments } from '../spread.js';
import type { IntervalOptions } from './mean.js';

/**
 * Hedges' factor J(nu) = Gamma(nu/2) / (sqrt(nu/2) Gamma((nu-1)/2)), about 1 - 3/(4 nu - 1), which makes J * d
 * unbiased (Hedges 1981). Throws a RangeError unless nu > 1.
 *
 * @example hedgesCorrection(9) // 0.9139
 */
export function hedgesCorrection(degreesOfFreedom: number): number {
  if (!(degreesOfFreedom > 1)) throw new RangeError(`too few degrees of freedom: ${degreesOfFreedom}`);
  const half = 0.5 * degreesOfFreedom;
  return Math.exp(gammaln(half) - gammaln(half - 0.5)) / Math.sqrt(half);
}

/**
 * Standardised effect of paired differences over seeds, in standard deviations of the differences: Hedges'
 * g = J(n-1) * mean / SD. Its interval inverts the noncentral t distribution of the t statistic (Cumming and Finch
 * 2001), exact for normal data; standard error J sqrt(1/n + d^2 / (2(n-1))). `values`: `[seed]`.
 *
 * Absent for fewer than 3 seeds, no spread, or a number that is not finite.
 * Throws a RangeError when `level` is not between 0 and 1.
 *
 * @example effectSize([1, 2, 3]) // d = 2, g = 1.128, interval [-0.142, 4.11]
 */
export function effectSize(values: ArrayLike<number>, options: IntervalOptions = {}): Estimate {
  const { level = 0.95 } = options;
  assertProbability('level', level);
  const reason = unusable(values, 3, 'seed');
  if (reason !== null) return absent(reason);
  const { n, mean, standardDeviation } = moments(Array.from(values));
  if (standardDeviation === null || standardDeviation === 0) {
    return absent(`all ${count(n, 'seed')} gave the same number`);
  }
  const d = mean / standardDeviation;
  const [low, high] = noncentralityInterval(d * Math.sqrt(n), n - 1, level);
  const correction = hedgesCorrection(n - 1);
  return estimateOf({
    estimate: correction * d,
    standardError: correction * Math.sqrt(1 / n + (d * d) / (2 * (n - 1))),
    interval: [low / Math.sqrt(n), high / Math.sqrt(n)],
    level,
    method: 'noncentral-t',
    unit: 'seed',
    units: n,
    seeds: n,
  });
}

/** The noncentralities at which the observed `t` is the upper and the lower (1 - level)/2 quantile. */
function noncentralityInterval(t: number, degreesOfFreedom: number, level: number): Interval {
  const tail = 0.5 * (1 - level);
  const at = (p: number): number => {
    const f = (delta: number): number => noncentralTCdf(t, degreesOfFreedom, delta) - p;
    let reach = 4;
    while (f(t - reach) < 0 || f(t + reach) > 0) reach *= 2;
    return findRoot(f, t - reach, t + reach);
  };
  return [at(1 - tail), at(tail)];
}
