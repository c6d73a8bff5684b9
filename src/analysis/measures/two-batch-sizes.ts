import type { BatchNorms, SampleMoments } from './batch-moments.js';

/** Squared norm of a minibatch gradient, of one batch or averaged over many. */
export type BatchNorm = Pick<BatchNorms, 'size' | 'norm2'>;

/**
 * Moments from the norms of minibatch gradients of two sizes b < B (McCandlish et al. 2018, appendix A):
 * `|G|^2 = (B |g_B|^2 - b |g_b|^2) / (B - b)`, `tr Sigma = (|g_b|^2 - |g_B|^2) / (1/b - 1/B)`, unbiased for independent
 * examples; both can be negative. `populationMoments` turns them into those of a training set. The reason for a norm
 * that is not finite; throws a RangeError unless 1 <= b < B.
 */
export function twoBatchSizes(small: BatchNorm, large: BatchNorm): SampleMoments | string {
  const [b, B] = [small.size, large.size];
  if (!(b >= 1 && b < B)) throw new RangeError(`batch sizes ${b} and ${B} are not 1 <= b < B`);
  if (!Number.isFinite(small.norm2 + large.norm2)) return 'a norm is not finite';
  return {
    meanNorm2: (B * large.norm2 - b * small.norm2) / (B - b),
    traceSigma: (small.norm2 - large.norm2) / (1 / b - 1 / B),
  };
}
