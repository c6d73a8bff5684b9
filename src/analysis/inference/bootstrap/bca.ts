import { mean, quantileSorted } from 'simple-statistics';
import { normalCdf, normalQuantile } from '../distributions/normal.js';
import type { Interval } from '../estimate.js';
import { ascending } from './percentile.js';

/** What {@link bcaInterval} works from. */
export interface BcaInput {
  /** `[draw]` the bootstrap distribution, in any order. */
  readonly draws: ArrayLike<number>;
  /** The statistic of the data. */
  readonly estimate: number;
  /** `[unit]` the statistic with one unit left out, at the outer level (seeds). */
  readonly jackknife: readonly number[];
  /** Normal deviate of the tails: 1.96 for a textbook interval of 95 %, see `tailDeviate`. */
  readonly deviate: number;
}

/**
 * Bias-corrected and accelerated bootstrap interval (Efron 1987): quantiles of the draws at Phi(z0 + (z0 +-
 * deviate) / (1 - a (z0 +- deviate))), with z0 = Phi^-1(share of draws below the estimate, ties half) and a = sum
 * d^3 / (6 (sum d^2)^(3/2)), d = mean(jackknife) - jackknife. The words of a reason where there is none: all draws
 * on one side of the estimate, an acceleration too large for the deviate, an undefined jackknife value.
 */
export function bcaInterval({ draws, estimate, jackknife, deviate }: BcaInput): Interval | string {
  if (!jackknife.every(Number.isFinite)) return 'the statistic is undefined without one of the units';
  const sorted = ascending(draws);
  const below = sorted.filter((draw) => draw < estimate).length;
  const equal = sorted.filter((draw) => draw === estimate).length;
  const share = (below + 0.5 * equal) / sorted.length;
  if (share === 0 || share === 1) return 'every bootstrap draw lies on the same side of the estimate';
  const z0 = normalQuantile(share);
  const a = acceleration(jackknife);
  const at = (z: number): number | null => {
    const denominator = 1 - a * (z0 + z);
    return denominator > 0 ? normalCdf(z0 + (z0 + z) / denominator) : null;
  };
  const low = at(-deviate);
  const high = at(deviate);
  if (low === null || high === null) return 'too skewed for so few units';
  return [quantileSorted(sorted, low), quantileSorted(sorted, high)];
}

/** a = sum d^3 / (6 (sum d^2)^(3/2)); 0 when leaving a unit out changes nothing. */
function acceleration(jackknife: readonly number[]): number {
  const centre = mean(jackknife);
  let squares = 0;
  let cubes = 0;
  for (const value of jackknife) {
    const d = centre - value;
    squares += d * d;
    cubes += d * d * d;
  }
  return squares === 0 ? 0 : cubes / (6 * squares ** 1.5);
}
