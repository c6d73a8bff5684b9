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
