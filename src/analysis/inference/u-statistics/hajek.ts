import { count } from '../check.js';
import { absent, estimateOf } from '../estimate.js';
import type { Estimate } from '../estimate.js';
import type { IntervalOptions } from '../seeds/mean.js';
import { moments } from '../spread.js';
import { tEstimate } from '../t-interval.js';

/** Options of a statistic over pairs of entities. */
export type PairOptions = IntervalOptions;

/**
 * An estimate over entities of one seed whose error is the mean of one contribution an entity: SE = SD / sqrt(n) of
 * `contributions` (`[entity]`, centred or not), t with n - 1 degrees of freedom.
 */
export function hajekEstimate(estimate: number, contributions: readonly number[], level: number): Estimate {
  const n = contributions.length;
  const odd = contributions.findIndex((value) => !Number.isFinite(value));
  if (odd >= 0) return absent(`entity ${odd + 1} of ${n} has a product that is not finite`);
  const { standardDeviation } = moments(contributions);
  return projected(estimate, (standardDeviation ?? 0) / Math.sqrt(n), n - 1, n, level);
}

/** An estimate over `n` entities of one seed by a Hajek projection with the given standard error. */
export function projected(
  estimate: number,
  standardError: number,
  degreesOfFreedom: number,
  n: number,
  level: number,
): Estimate {
  const common = { estimate, level, method: 'hajek', unit: 'entity', units: n, seeds: 1 } as const;
  if (standardError === 0) {
    return estimateOf({
      ...common,
      standardError,
      missing: `all ${count(n, 'entity')} gave the same number`,
    });
  }
  return tEstimate({ ...common, standardError, degreesOfFreedom });
}
