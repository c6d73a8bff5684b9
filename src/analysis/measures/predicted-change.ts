/** The parts of an expansion of a loss after one update, in units of the loss (nats); negative: the loss falls. */
export interface PredictedChange {
  /** `-epsilon g . u`. */
  readonly firstOrder: number;
  /** `1/2 epsilon^2 u' H u`. */
  readonly curvature: number;
  /** Their sum. */
  readonly total: number;
}

/**
 * Change of a query's loss by the update `w - epsilon u`: `-epsilon g . u + 1/2 epsilon^2 u' H u + O(epsilon^3)`, g
 * and H the query's gradient and Hessian before it, u the direction the optimizer took (for SGD the minibatch
 * gradient, an example's share of it being 1/B of its own).
 *
 * @param inner `g . u`
 * @param curvature `u' H u`; 0 where it is not known
 */
export function predictedChange(learningRate: number, inner: number, curvature = 0): PredictedChange {
  const first = -learningRate * inner;
  const second = 0.5 * learningRate * learningRate * curvature;
  return { firstOrder: first, curvature: second, total: first + second };
}
