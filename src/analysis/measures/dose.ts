import { assertEqualLength } from '../inference/check.js';
import { kappa } from './kappa.js';
import { measured } from './measured.js';
import type { Measured } from './measured.js';

/** Training time of gradient flow that a run has covered: the sum of its learning rates. The reason as `measured`. */
export function trainingTime(learningRates: ArrayLike<number>): Measured {
  return measured(Array.from(learningRates).reduce((sum, rate) => sum + rate, 0));
}

/**
 * Dose of the implicit variance penalty over a run, `D = sum_t epsilon_t kappa(epsilon_t, B) Gamma_t`, in units of the
 * loss times those of the learning rate. `gammas`: `[step]`, null where Gamma was not measured; there the last measured
 * one stands in, before the first one the first. For SGD that shuffles; with replacement there is no dose. The reason
 * when Gamma was never measured or is not finite; throws a RangeError for lengths that differ, or unless 1 <= B <= N.
 */
export function dose(
  learningRates: ArrayLike<number>,
  gammas: ArrayLike<number | null>,
  batchSize: number,
  population: number,
): Measured {
  assertEqualLength('learning rates and variances', learningRates, gammas);
  if (learningRates.length === 0) return 0;
  let gamma = Array.from(gammas).find((value) => value !== null);
  if (gamma === undefined || gamma === null) return 'the gradient variance was never measured';
  let sum = 0;
  for (let t = 0; t < learningRates.length; t++) {
    gamma = gammas[t] ?? gamma;
    sum += learningRates[t]! * kappa(learningRates[t]!, batchSize, population) * gamma;
  }
  return measured(sum);
}
