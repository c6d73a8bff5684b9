import { float64, int32, type TableDefinition } from '../columns.js';
import { units } from '../units.js';
import { stage, checkpointStep } from './common.js';

/** Gradient variance, its gradient and curvature of the mean loss, at checkpoints. */
export const landscapeTables = {
  landscape: {
    name: 'landscape',
    derived: true,
    row: 'one checkpoint',
    when: 'start and ends of stages',
    columns: {
      stage,
      step: checkpointStep,
      examples: int32('Examples of the training set.', { unit: 'example' }),
      loss: float64('Mean loss of the training set.', { unit: units.loss }),
      loss_gradient_norm: float64('Norm of the gradient of the mean loss, |grad C|.', {
        unit: units.gradient,
      }),
      gamma: float64(
        'Gradient variance Gamma, trace of the covariance of the gradients of single examples.',
        { unit: units.gradient2 },
      ),
      variance_gradient_norm: float64('Norm of the gradient of Gamma, by central differences.', {
        unit: units.gradient2PerParameter,
      }),
      variance_loss_cosine: float64('Cosine of the gradients of Gamma and of the mean loss.', {
        nullable: true,
      }),
      gsnr: float64(
        'Mean over coordinates of the gradient signal-to-noise ratio, mean^2 / variance; null where no coordinate varies.',
        { nullable: true },
      ),
      lambda_max: float64('Largest eigenvalue in size of the Hessian of the mean loss, by power iteration.', {
        unit: units.curvature,
      }),
      lambda_change: float64('Relative change of lambda_max in the last iteration.'),
      lambda_examples: int32('Examples of the sample behind lambda_max.', { unit: 'example' }),
      rated_loss_gradient_norm: float64(
        'Norm of the gradient of the mean loss in the coordinates theta / sqrt(learning rate): full learning rates of ' +
          'the parameters in the stage with questions.',
        { unit: units.ratedGradient },
      ),
      rated_gamma: float64('Gamma in these coordinates: every coordinate times its learning rate.', {
        unit: units.ratedGradient2,
      }),
      rated_variance_gradient_norm: float64('Norm of the gradient of rated_gamma in these coordinates.', {
        unit: units.ratedGradient2PerParameter,
      }),
      rated_lambda_max: float64('Largest eigenvalue in size of the Hessian in these coordinates.', {
        unit: units.ratedCurvature,
      }),
    },
  },
} as const satisfies Record<string, TableDefinition>;
