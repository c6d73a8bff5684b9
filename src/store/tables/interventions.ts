import { float64, type Column } from '../columns.js';
import { units } from '../units.js';

/** Declares what an intervention did at an update; null at updates at which it did not act. */
const done = (description: string, unit = '1'): Column<'float64', true> =>
  float64(description, { unit, nullable: true });

/**
 * Columns that the table `steps` has only in runs of which a stage has the intervention, by its key in the config.
 * `gradient` belongs to all that change the gradient of an update.
 */
export const interventionColumns = {
  gradient: {
    changed_norm: done(
      'Euclidean norm of the gradient as the interventions left it, before clipping; null in stages without any.',
      units.gradient,
    ),
  },
  penalty: {
    penalty_value: done('Value of the penalty R on gradients of the minibatch.', units.gradient2),
    penalty_force: done(
      'Euclidean norm of the force of the penalty, the gradient of (lambda / 4) R.',
      units.gradient,
    ),
    penalty_cosine: done(
      'Cosine of the gradient of R with that of the minibatch, whatever the sign of lambda; null where one is zero.',
    ),
    penalty_lambda: done('Strength lambda of the penalty.', units.rate),
  },
  freeze: {
    freeze_share: done(
      'Share of the frozen parameters in the squared norm of the minibatch gradient; null where that is zero.',
    ),
  },
  noise: {
    noise_norm: done('Euclidean norm of the noise on the gradient.', units.gradient),
    noise_trace: done(
      'What the square of noise_norm is on average over draws: the trace of the covariance of the noise.',
      units.gradient2,
    ),
    noise_gamma: done(
      'Gradient variance Gamma of the rows of the stage, estimated without bias from the examples of the minibatch.',
      units.gradient2,
    ),
  },
  reset: {
    reset_distance: done(
      'Euclidean distance that the reset at the start of the stage moved the parameters by; null at other updates.',
      units.parameter,
    ),
  },
  projection: {
    projection_share: done(
      "Share of the definitions' squared gradient norms, summed over the minibatch, that lay in the spans of the questions.",
    ),
    projection_rank: done(
      'Dimension of the span of the questions of a definition, mean over the definitions.',
    ),
  },
  surgery: {
    surgery_cosine: done('Cosine of the gradients of the two sides; null where one is zero.'),
    surgery_cosine_after: done('The same of what they became; null where nothing is left of one.'),
    surgery_norm_ratio: done(
      'Norm of the gradient after the surgery over that before it, as it is without equalNorm; 1 where nothing was done.',
    ),
  },
} as const satisfies Readonly<Record<string, Readonly<Record<string, Column<'float64', true>>>>>;

/** Key of a set of {@link interventionColumns}. */
export type InterventionColumnSet = keyof typeof interventionColumns;

/** Name of a column of any intervention. */
export type InterventionColumn = {
  [Key in InterventionColumnSet]: keyof (typeof interventionColumns)[Key];
}[InterventionColumnSet];
