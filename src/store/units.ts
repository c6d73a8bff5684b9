/**
 * Units of columns, as the reports name them. Losses are in nats, so that a gradient is in nats per unit of its
 * parameter. A learning rate has the unit that makes an update one of parameters, which depends on the optimizer: it is
 * `rate`, and what is multiplied by it says so.
 */
export const units = {
  loss: 'nats',
  gradient: 'nats/parameter',
  /** Squared norms and inner products of gradients, Gamma. */
  gradient2: 'nats^2/parameter^2',
  /** The gradient of Gamma. */
  gradient2PerParameter: 'nats^2/parameter^3',
  curvature: 'nats/parameter^2',
  parameter: 'parameter',
  rate: 'rate',
  ratedGradient: 'nats/parameter x rate^0.5',
  ratedGradient2: 'nats^2/parameter^2 x rate',
  ratedGradient2PerParameter: 'nats^2/parameter^3 x rate^1.5',
  ratedCurvature: 'nats/parameter^2 x rate',
  stepSize: 'rate (sgd) or 1 (optimizer)',
  /** That of the metric in the same row. */
  metric: 'nats (loss, margin) or 1 (others)',
  /** That of the quantity in the same row, which the table `quantities` names. */
  quantity: 'unit of the quantity',
  /** That of numerator and denominator, which a ratio has not. */
  part: 'unit of the parts of the quantity',
  /** That of the curve in the same row. */
  curve: 'unit of the curve',
  seed: 'seed',
} as const;
