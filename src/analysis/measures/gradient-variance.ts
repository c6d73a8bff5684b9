import type { Gram } from './gram.js';
import { gradientSums } from './gradient-sums.js';

/** Mean and spread of the gradients of a population, in units of K. */
export interface GradientMoments {
  /** `Gamma = (1/N) sum |g_i - G|^2`: trace of the covariance, divisor N; not negative in a population. */
  readonly gamma: number;
  /** `|G|^2`, squared norm of the full gradient; an unbiased estimate from a sample can be negative. */
  readonly meanNorm2: number;
}

/**
 * Gamma and |G|^2 of a group that is the whole population: `|G|^2 = S_2 / N^2`, `Gamma = S_1 / N - S_2 / N^2`. Of all
 * examples by default. Rounding below 0 is returned as 0. The reason for an empty group or a product that is not
 * finite.
 */
export function gradientVariance(gram: Gram, indices?: readonly number[]): GradientMoments | string {
  const sums = gradientSums(gram, indices);
  if (typeof sums === 'string') return sums;
  const { n, norms, products, rounding } = sums;
  const meanNorm2 = products <= rounding ? 0 : products / (n * n);
  return { gamma: Math.max(0, norms / n - meanNorm2), meanNorm2 };
}
