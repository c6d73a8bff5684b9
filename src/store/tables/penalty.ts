import { dictionary, float64, int32, type TableDefinition } from '../columns.js';
import { units } from '../units.js';
import { stage, checkpointStep } from './common.js';

/** Norms of the gradients of minibatches of all sizes, at the ends of stages. */
export const penaltyTables = {
  penalty: {
    name: 'penalty',
    derived: true,
    row: 'one checkpoint x batch size x draw of a partition of the training set',
    when: 'start and ends of stages',
    columns: {
      stage,
      step: checkpointStep,
      sampler: dictionary(
        'How the minibatches were drawn: shuffle, as parts of a partition of the rows; withReplacement, every example ' +
          "independently, with the probabilities of the stage's sampler.",
        () => ['shuffle', 'withReplacement'],
      ),
      draw: int32('Number of the random partition.'),
      batch_size: int32('Examples in a minibatch.', { unit: 'example' }),
      minibatches: int32('Minibatches measured.'),
      norm2: float64('Mean squared norm of the gradients of the minibatches.', { unit: units.gradient2 }),
      example_norm2: float64('Mean squared norm of the gradients of single examples.', {
        unit: units.gradient2,
      }),
      full_norm2: float64('Squared norm of the gradient of the whole training set.', {
        unit: units.gradient2,
      }),
      examples: int32('Examples of the training set.', { unit: 'example' }),
      rated_norm2: float64(
        'As norm2, every coordinate times the full learning rate of its parameter in the stage with questions.',
        { unit: units.ratedGradient2 },
      ),
      rated_example_norm2: float64('As example_norm2, with the same learning rates.', {
        unit: units.ratedGradient2,
      }),
      rated_full_norm2: float64('As full_norm2, with the same learning rates.', {
        unit: units.ratedGradient2,
      }),
    },
  },
} as const satisfies Record<string, TableDefinition>;
