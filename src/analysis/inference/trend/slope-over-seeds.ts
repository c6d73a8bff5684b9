import { absent } from '../estimate.js';
import type { Estimate } from '../estimate.js';
import { meanOverSeeds } from '../seeds/mean.js';
import type { IntervalOptions } from '../seeds/mean.js';
import { leastSquares } from './least-squares.js';
import type { Predictor } from './least-squares.js';

/** The runs of one seed at several settings. */
export interface SeedRuns {
  /** `[setting]`. */
  readonly response: ArrayLike<number>;
  /** Columns of `[setting]`, with the same names in the same order for all seeds. */
  readonly predictors: readonly Predictor[];
}

/**
 * Mean over seeds of the slope of each predictor, fitted in each seed by itself, with the t interval over seeds:
 * for a sweep in which every seed has been run at every setting, whose runs are not independent (summary measures:
 * Matthews et al. 1990). A seed needs at least predictors + 2 settings.
 *
 * All absent when the fit of one seed is, for its reason. Throws a RangeError when the predictors of two seeds
 * differ.
 *
 * @example slopeOverSeeds([seed(1), seed(2)]).get('logKappa') // an Estimate over 2 seeds
 */
export function slopeOverSeeds(
  seeds: readonly SeedRuns[],
  options: IntervalOptions = {},
): ReadonlyMap<string, Estimate> {
  const names = (seeds[0]?.predictors ?? []).map(({ name }) => name);
  for (const [i, { predictors }] of seeds.entries()) {
    if (predictors.length !== names.length || predictors.some(({ name }, j) => name !== names[j])) {
      throw new RangeError(`seed ${i + 1} has other predictors than seed 1`);
    }
  }
  const slopes = names.map((): number[] => []);
  for (const [i, { response, predictors }] of seeds.entries()) {
    const fit = leastSquares(response, predictors, options);
    const effects = fit.kind === 'absent' ? [fit] : fit.coefficients.map(({ effect }) => effect);
    for (const [j, effect] of effects.entries()) {
      if (effect.kind === 'absent') {
        const reason = absent(`seed ${i + 1} of ${seeds.length}: ${effect.reason}`);
        return new Map(names.map((name) => [name, reason]));
      }
      slopes[j]!.push(effect.estimate);
    }
  }
  return new Map(names.map((name, j) => [name, meanOverSeeds(slopes[j]!, options)]));
}
