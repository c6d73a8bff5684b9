/** Inner products of the gradient of a block's mean inner product M with the gradients of the modified loss's parts. */
export interface BlockProducts {
  /** `grad M . grad C`. */
  readonly withLoss: number;
  /** `grad M . grad |grad C|^2`. */
  readonly withNorm: number;
  /** `grad M . grad Gamma`. */
  readonly withVariance: number;
}

/** What moves a block's mean inner product, per unit of training time (sum of learning rates). */
export interface BlockForces {
  /** `-grad M . grad C`: ordinary training. */
  readonly task: number;
  /** `-(epsilon/4) grad M . grad |grad C|^2`: the penalty that full-batch descent has too. */
  readonly norm: number;
  /** `-kappa grad M . grad Gamma`: the part of minibatches. */
  readonly alignment: number;
  /** `dM/dt`, the sum of the three. */
  readonly total: number;
}

/**
 * Forces on the mean inner product M of a block of pairs (definitions of a tag with its questions, say) under the
 * modified loss `C + (epsilon/4) |grad C|^2 + kappa Gamma` of Smith et al. 2021, with `kappa` as in `kappa`. A proposal
 * of this toolkit: compare the total with the observed change of M.
 */
export function blockForces(
  { withLoss, withNorm, withVariance }: BlockProducts,
  learningRate: number,
  kappa: number,
): BlockForces {
  const [task, norm, alignment] = [-withLoss, -(learningRate / 4) * withNorm, -kappa * withVariance];
  return { task, norm, alignment, total: task + norm + alignment };
}
