import { whyNoSample, type Sampling } from '../../../data/samplers.js';
import { assertInteger } from '../inference/check.js';
import type { Gram } from './gram.js';
import { gradientSums } from './gradient-sums.js';
import type { GradientMoments } from './gradient-variance.js';

/** Norms of one minibatch. */
export interface BatchNorms {
  /** Examples B. */
  readonly size: number;
  /** `|g_B|^2`, squared norm of the mean gradient of the batch. */
  readonly norm2: number;
  /** `sum |g_i|^2` over its examples. */
  readonly exampleNorm2: number;
}

/** Unbiased estimates for the distribution that examples are drawn from independently, in units of K. */
export interface SampleMoments {
  /** `tr Sigma`, trace of the covariance of one example's gradient. */
  readonly traceSigma: number;
  /** `|G|^2`, squared norm of the expected gradient; the estimate can be negative and is not clamped. */
  readonly meanNorm2: number;
}

/**
 * Unbiased moments from one minibatch of B independent examples (McCandlish et al. 2018, appendix A):
 * `tr Sigma = (sum |g_i|^2 - B |g_B|^2) / (B - 1)`, `|G|^2 = (B |g_B|^2 - mean |g_i|^2) / (B - 1)`, the mean of the
 * off-diagonal of K. For what it says of a training set see `populationMoments`. The reason for
 * fewer than 2 examples or a norm that is not finite.
 */
export function batchMoments({ size, norm2, exampleNorm2 }: BatchNorms): SampleMoments | string {
  if (size < 2) return 'a minibatch of one example shows no variance';
  if (!Number.isFinite(norm2 + exampleNorm2)) return 'a norm is not finite';
  return {
    traceSigma: (exampleNorm2 - size * norm2) / (size - 1),
    meanNorm2: (size * norm2 - exampleNorm2 / size) / (size - 1),
  };
}

/** The norms of the minibatch of examples `indices`, all by default. The reason as for `gradientSums`. */
export function batchNorms(gram: Gram, indices?: readonly number[]): BatchNorms | string {
  const sums = gradientSums(gram, indices);
  if (typeof sums === 'string') return sums;
  return { size: sums.n, norm2: sums.products / sums.n ** 2, exampleNorm2: sums.norms };
}

/**
 * What {@link SampleMoments} estimate for the population that a sampler draws minibatches from: of a partition of N rows
 * `Gamma = (N-1)/N tr Sigma`, `|G|^2 = |G|^2_est + Gamma / (N-1)`, and the second correction is not small once
 * Gamma / |G|^2 nears N; of independent draws they are Gamma and |G|^2 of the distribution as they stand. The moments of
 * the full batch are exact. Throws a RangeError for minibatches that are no samples.
 */
export function populationMoments(
  { traceSigma, meanNorm2 }: SampleMoments,
  sampling: Sampling,
): GradientMoments {
  const { draws, population } = sampling;
  const why = whyNoSample(sampling);
  if (why !== null) throw new RangeError(why);
  if (draws === 'independent') return { gamma: traceSigma, meanNorm2 };
  assertInteger('population', population, 2);
  const gamma = ((population - 1) / population) * traceSigma;
  return { gamma, meanNorm2: meanNorm2 + gamma / (population - 1) };
}
