import { bool, dictionary, float64, int32, type TableDefinition } from '../columns.js';
import { units } from '../units.js';
import { stage, step, checkpointStep, definition } from './common.js';

/**
 * How a definition moves the parameters: one plain gradient step, or its share in an update of the stage's optimizer,
 * with the second moments of the steps before.
 */
const updateKinds = ['sgd', 'optimizer'] as const;

export type UpdateKind = (typeof updateKinds)[number];

/** What a step on a definition does to the loss of questions. */
export const transferTables = {
  transfer: {
    name: 'transfer',
    derived: true,
    row: 'one checkpoint x entity x definition x update',
    when: 'every checkpoint',
    columns: {
      stage,
      step: checkpointStep,
      subset: dictionary('Subset of the entity.', (d) => d.subsets),
      variable: int32('Variable that is defined.'),
      asked: int32(
        'Variable that the questions are about: the same, or another one of the subset as the null of plain steps.',
      ),
      definition,
      update: dictionary(
        'How it moves: sgd, step_size times its gradient; optimizer, its share in an update of the stage.',
        () => updateKinds,
      ),
      step_size: float64(
        'Learning rate of the one update for sgd; for optimizer the factors of schedule and clipping over the batch size, ' +
          'all of the coming update.',
        { unit: units.stepSize },
      ),
      predicted: float64('First-order change of the mean loss of the questions.', { unit: units.loss }),
      curvature: float64('Second-order part of the change, by a step forward and one back.', {
        unit: units.loss,
      }),
      actual: float64('Change of the mean loss of the questions.', { unit: units.loss }),
      loss: float64('Mean loss of the questions before the update.', { unit: units.loss }),
      norm_update: float64('Norm of the change of the parameters.', { unit: units.parameter }),
      norm_questions: float64('Norm of the mean gradient of the questions.', { unit: units.gradient }),
      cosine: float64(
        'Cosine of the update and the negative mean gradient of the questions; null: one is zero.',
        {
          nullable: true,
        },
      ),
      preconditioned_cosine: float64(
        "Cosine of the two gradients in the geometry of the optimizer's second moments; null for sgd.",
        { nullable: true },
      ),
    },
  },
  transfer_path: {
    name: 'transfer_path',
    derived: true,
    row: 'one update of the stage with definitions only x entity',
    when: 'every update of the stage',
    columns: {
      stage,
      step,
      subset: dictionary('Subset of the entity.', (d) => d.subsets),
      variable: int32('Variable that the questions are about.'),
      seen: bool('Whether the minibatch held the definition of the variable.'),
      predicted: float64('First-order change of the mean loss of the questions by the update.', {
        unit: units.loss,
      }),
      midpoint: float64('The same with the mean of the gradients before and after the update.', {
        unit: units.loss,
      }),
      own: float64(
        "Part of predicted that comes from the variable's own definition, by way of the optimizer's momentum.",
        { unit: units.loss },
      ),
      same_tag: float64("The same of the panel's other definitions of its subset.", { unit: units.loss }),
      other_tag: float64("The same of the panel's definitions of other subsets.", { unit: units.loss }),
      loss: float64('Mean loss of the questions after the update.', { unit: units.loss }),
      start_loss: float64('The same before the first update of the stage.', { unit: units.loss }),
    },
  },
} as const satisfies Record<string, TableDefinition>;
