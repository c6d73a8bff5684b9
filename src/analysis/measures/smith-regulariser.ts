import type { GradientMoments } from './gradient-variance.js';
import { kappa } from './kappa.js';

/** The two parts of the implicit penalty of plain SGD, in units of the loss. */
export interface SmithRegulariser {
  /** `epsilon/4 |G|^2`, which full-batch descent has too (Barrett and Dherin 2021). */
  readonly norm: number;
  /** `kappa Gamma`: what minibatches add. */
  readonly variance: number;
}

/** Learning rate epsilon, batch size B and training examples N. */
export interface SgdSetting {
  readonly learningRate: number;
  readonly batchSize: number;
  readonly population: number;
}

/**
 * Smith's regulariser (Smith et al. 2021) of SGD that shuffles every epoch, `epsilon/4 E|g_B|^2 = epsilon/4 |G|^2 +
 * kappa Gamma`: the mean iterate of an epoch follows the flow on the loss plus this, as long as the number of batches
 * times epsilon times the largest curvature is small. A theorem about plain SGD. Throws a RangeError unless
 * 1 <= B <= N.
 */
export function smithRegulariser(
  { gamma, meanNorm2 }: GradientMoments,
  { learningRate, batchSize, population }: SgdSetting,
): SmithRegulariser {
  return {
    norm: (learningRate / 4) * meanNorm2,
    variance: kappa(learningRate, batchSize, population) * gamma,
  };
}

/**
 * The same for batches drawn independently, with replacement: the penalty comes from the batches of an epoch being
 * disjoint, so the variance part is 0 at this order, whatever the batch size.
 */
export function regulariserWithReplacement(
  { meanNorm2 }: Pick<GradientMoments, 'meanNorm2'>,
  learningRate: number,
): SmithRegulariser {
  return { norm: (learningRate / 4) * meanNorm2, variance: 0 };
}

/**
 * Smith's regulariser of batches that are the same every epoch in random order: `epsilon / (4m) sum_k |g_k|^2` of that
 * partition, split at `|G|^2`. `norms2`: `[batch]` squared norms of the m batch gradients. The reason without batches
 * or for a norm that is not finite.
 */
export function regulariserOfPartition(
  norms2: ArrayLike<number>,
  meanNorm2: number,
  learningRate: number,
): SmithRegulariser | string {
  const m = norms2.length;
  if (m === 0) return 'there are no batches';
  const mean = Array.from(norms2).reduce((sum, norm2) => sum + norm2, 0) / m;
  if (!Number.isFinite(mean + meanNorm2)) return 'a norm is not finite';
  return { norm: (learningRate / 4) * meanNorm2, variance: (learningRate / 4) * (mean - meanNorm2) };
}
