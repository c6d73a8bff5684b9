import { whyNoVariancePenalty, type Sampling } from '../../../data/samplers.js';
import { assertEqualLength } from '../inference/check.js';
import { kappa } from './kappa.js';
import { measured } from './measured.js';
import type { Measured } from './measured.js';

/** Parameters that share a learning rate, over training. */
export interface RatedGammas {
  /** `[step]` */
  readonly learningRates: ArrayLike<number>;
  /** `[step]`, null where Gamma was not measured. */
  readonly gammas: ArrayLike<number | null>;
}

/**
 * Dose of the implicit variance penalty over a run, `D = sum_t sum_q epsilon_qt kappa(epsilon_qt) Gamma_qt` over updates t
 * and groups q of parameters with a rate of their own, in units of the loss times those of the learning rate. Where
 * Gamma was not measured the last measured one stands in, before the first one the first. The reason when Gamma was
 * never measured or is not finite, and for samplers without a variance part; throws a RangeError for lengths that differ.
 */
export function dose(groups: readonly RatedGammas[], sampling: Sampling): Measured {
  const why = whyNoVariancePenalty(sampling);
  if (why !== null) return why;
  let sum = 0;
  for (const { learningRates, gammas } of groups) {
    assertEqualLength('learning rates and variances', learningRates, gammas);
    if (learningRates.length === 0) continue;
    let gamma = Array.from(gammas).find((value) => value !== null);
    if (gamma === undefined || gamma === null) return 'the gradient variance was never measured';
    for (let t = 0; t < learningRates.length; t++) {
      gamma = gammas[t] ?? gamma;
      sum += learningRates[t]! * kappa(learningRates[t]!, sampling) * gamma;
    }
  }
  return measured(sum);
}
