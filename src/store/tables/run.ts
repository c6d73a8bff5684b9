import {
  dictionary,
  float64,
  int32,
  listFloat32,
  listInt32,
  utf8,
  type TableDefinition,
} from '../columns.js';
import { units } from '../units.js';
import { stage, step, epoch } from './common.js';
import { interventionColumns } from './interventions.js';

/** What the `events` table can report. */
const eventKinds = ['start', 'checkpoint', 'resume', 'interrupt', 'nan', 'warning', 'end', 'stop'] as const;

/** What a training example is. */
const exampleKinds = ['definition', 'qa'] as const;

/** What a run keeps of its training: updates, minibatches and examples, and what happened to it. */
export const runTables = {
  steps: {
    name: 'steps',
    row: 'one optimizer step',
    when: 'always',
    columns: {
      stage,
      step,
      stage_step: int32('Optimizer step, counted from 1 within the stage.', { unit: 'step' }),
      epoch,
      learning_rate: float64('Learning rate of the step.', { unit: units.rate }),
      batch_size: int32('Examples in the minibatch.', { unit: 'example' }),
      loss: float64('Loss of the minibatch before the step; the schema metadata says how it is reduced.', {
        unit: units.loss,
      }),
      grad_norm: float64('Euclidean norm of the minibatch gradient before interventions and clipping.', {
        unit: units.gradient,
      }),
      clip_factor: float64('Factor that clipping multiplied the gradient by; 1 means not clipped.'),
      update_norm: float64('Euclidean norm of the change of the parameters; null means not measured.', {
        unit: units.parameter,
        nullable: true,
      }),
      step_ms: float64('Wall time of the step, the Gram matrices of the gradient log included.', {
        unit: 'ms',
      }),
      log_ms: float64(
        'Wall time of gradient logging after the gradient; Gram matrices come with the gradient, within step_ms.',
        { unit: 'ms' },
      ),
    },
    groupColumns: {
      prefix: 'examples_',
      unit: 'example',
      description: (name: string) => `Examples of the group ${name} in the minibatch.`,
    },
    optionalColumns: interventionColumns,
  },
  batches: {
    name: 'batches',
    row: 'one optimizer step',
    when: 'always',
    columns: {
      stage,
      step,
      stage_step: int32('Optimizer step, counted from 1 within the stage.', { unit: 'step' }),
      examples: listInt32(
        'Numbers of the examples of the minibatch, in the order in which the step saw them.',
      ),
      images: listInt32(
        'Source image of every cell of every example, cell by cell, as numbers in the file of training images; empty for texts.',
      ),
    },
  },
  examples: {
    name: 'examples',
    row: 'one training example of the run',
    when: 'always',
    columns: {
      example: int32('Number of the example, the same in every stage of the run.'),
      group: dictionary('Group of the example: subset and kind.', (d) => d.groups),
      subset: dictionary('Subset of the variable.', (d) => d.subsets),
      kind: dictionary('Whether the example is a definition or a question.', exampleKinds),
      variable: int32('Variable that the example is about.'),
      name: utf8('Name of the variable.'),
      entity: utf8('What the variable stands for, whatever its definition says.'),
      tag: int32('Tag of the definition: 1 reliable, 2 unreliable, 3 new; null for questions.', {
        nullable: true,
      }),
      text: utf8('The example in words, its answer included.'),
      tokens: listInt32('Input tokens, padding included; empty for images.'),
      positions: listInt32(
        'Texts: place of the token whose output answers each query. Images: cell asked for; empty for a definition.',
      ),
      labels: listInt32('Target of each query.'),
      weights: listFloat32('Weight of each query in the loss of the example.'),
      digits: listInt32('Images: digit of every cell.'),
      strip: listInt32('Images: squares of the tag, 1 white; empty for questions.'),
      probability: float64('Relative probability for the sampler mixture; null where the data have none.', {
        nullable: true,
      }),
    },
  },
} as const satisfies Record<string, TableDefinition>;

/** Events of a run. */
export const eventTables = {
  events: {
    name: 'events',
    row: 'one event of the run',
    when: 'always',
    columns: {
      step,
      time: float64('Time of the event since 1970-01-01 UTC.', { unit: 'ms' }),
      kind: dictionary('What happened.', eventKinds),
      message: utf8('What happened, for people.'),
    },
  },
} as const satisfies Record<string, TableDefinition>;
