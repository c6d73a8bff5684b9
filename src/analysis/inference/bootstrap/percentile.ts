import { quantileSorted } from 'simple-statistics';
import { normalCdf } from '../distributions/normal.js';
import type { Interval } from '../estimate.js';

/**
 * Percentile interval: the quantiles of the bootstrap distribution at Phi(-deviate) and Phi(deviate), linear
 * between draws. `draws`: `[draw]`, in any order.
 */
export function percentileInterval(draws: ArrayLike<number>, deviate: number): Interval {
  const sorted = ascending(draws);
  return [quantileSorted(sorted, normalCdf(-deviate)), quantileSorted(sorted, normalCdf(deviate))];
}

/** A sorted copy. */
export function ascending(values: ArrayLike<number>): number[] {
  return Array.from(Float64Array.from(values).sort());
}
