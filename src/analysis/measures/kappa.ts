import { variancePenaltyFactor, type Sampling } from '../../../data/samplers.js';

/**
 * `kappa`, coefficient of Gamma in the implicit penalty of plain SGD, in units of the learning rate: `epsilon (m-1) /
 * (4(N-1))` with m minibatches an epoch, `(N-B)/(N-1) epsilon / (4B)` where B divides N (Smith, Dherin, Barrett and De
 * 2021). 0 for the full batch and for samplers that draw independently (`variancePenaltyFactor`); NaN
 * for those that decide which rows share a minibatch (`whyNoVariancePenalty`).
 */
export function kappa(learningRate: number, sampling: Sampling): number {
  return learningRate * variancePenaltyFactor(sampling);
}
