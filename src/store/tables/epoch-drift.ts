import { float64, int32, type TableDefinition } from '../columns.js';
import { units } from '../units.js';
import { stage, checkpointStep } from './common.js';

/** Where short epochs of plain SGD lead, at checkpoints. */
export const epochDriftTables = {
  epoch_drift: {
    name: 'epoch_drift',
    derived: true,
    row: 'one checkpoint x learning rate',
    when: 'start and ends of stages',
    columns: {
      stage,
      step: checkpointStep,
      learning_rate: float64('Learning rate of the short epochs of plain SGD.', { unit: units.rate }),
      minibatches: int32('Minibatches of an epoch; all their sequences are taken.'),
      batch_size: int32('Examples in a minibatch.', { unit: 'example' }),
      measured_norm: float64('Norm of the mean end point of the shuffles minus that of all sequences.', {
        unit: units.parameter,
      }),
      predicted_norm: float64('Norm of what the variance penalty predicts for it.', {
        unit: units.parameter,
      }),
      projection: float64('Measured along predicted, as a share of predicted; null where that is zero.', {
        nullable: true,
      }),
      cosine: float64('Cosine of measured and predicted; null where one of them is zero.', {
        nullable: true,
      }),
    },
  },
} as const satisfies Record<string, TableDefinition>;
