import { minibatchVarianceFactor, type Sampling } from '../../../data/samplers.js';
import type { GradientMoments } from './gradient-variance.js';

/**
 * Expected squared norm of the mean gradient of a whole minibatch, in units of K: `E|g_B|^2 = |G|^2 + (N-B)/(N-1) Gamma
 * / B` for the parts of a partition of the rows, `|G|^2 + Gamma / B` for independent draws. With B = 1 the mean squared
 * norm of an example; for the full batch `|G|^2`. Gamma and G are of the distribution that the sampler draws from. NaN for
 * minibatches that are no samples of the rows (`whyNoSample`), whose law is `compositionLaw`.
 */
export function expectedMinibatchNorm2({ gamma, meanNorm2 }: GradientMoments, sampling: Sampling): number {
  return meanNorm2 + minibatchVarianceFactor(sampling) * gamma;
}
