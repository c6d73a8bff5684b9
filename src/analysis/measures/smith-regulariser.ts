import type { Sampling } from '../../../data/samplers.js';
import type { GradientMoments } from './gradient-variance.js';
import { kappa } from './kappa.js';

/** The two parts of the implicit penalty of plain SGD, in units of the loss. */
export interface SmithRegulariser {
  /** `epsilon/4 |G|^2`, which full-batch descent has too (Barrett and Dherin 2021). */
  readonly norm: number;
  /** `kappa Gamma`: what disjoint minibatches add. */
  readonly variance: number;
}

/** Gamma and |G|^2 of parameters that share a learning rate. */
export interface RatedMoments extends GradientMoments {
  readonly learningRate: number;
}

/**
 * Smith's regulariser (Smith et al. 2021): the mean iterate of an epoch of plain SGD follows the flow on the loss plus
 * `epsilon/4 |G|^2 + kappa Gamma`, as long as the number of minibatches times epsilon times the largest curvature is
 * small. With rates `epsilon_q` for groups q of parameters it is the sum over groups: SGD with them is SGD of rate 1 in
 * the coordinates `theta_q / sqrt(epsilon_q)`. The variance part is 0 for samplers that draw independently.
 */
export function smithRegulariser(groups: readonly RatedMoments[], sampling: Sampling): SmithRegulariser {
  let [norm, variance] = [0, 0];
  for (const { learningRate, gamma, meanNorm2 } of groups) {
    norm += (learningRate / 4) * meanNorm2;
    variance += kappa(learningRate, sampling) * gamma;
  }
  return { norm, variance };
}
