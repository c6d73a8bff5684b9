import type { GradientMoments } from './gradient-variance.js';
import { populationCorrection } from './kappa.js';

/**
 * Expected squared norm of the mean gradient of a minibatch of B examples drawn without replacement from N,
 * `E|g_B|^2 = |G|^2 + (N-B)/(N-1) Gamma / B`, in units of K. With B = 1 the mean squared norm of an example, with B = N
 * `|G|^2`. Throws a RangeError unless 1 <= B <= N.
 */
export function expectedMinibatchNorm2(
  { gamma, meanNorm2 }: GradientMoments,
  batchSize: number,
  population: number,
): number {
  return meanNorm2 + (populationCorrection(batchSize, population) * gamma) / batchSize;
}
