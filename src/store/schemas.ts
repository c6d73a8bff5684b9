import type { Schema } from 'apache-arrow';
import { makeArrowSchema } from './arrow-types.js';
import {
  bool,
  dictionary,
  fixedListFloat32,
  float64,
  int32,
  listFloat32,
  listFloat64,
  listInt32,
  resolveColumns,
  utf8,
} from './columns.js';
import type { Dimensions, ResolvedColumn, TableDefinition } from './columns.js';
import { definitionKinds, pairings, questionKinds, updateKinds, withoutEmbeddings } from './panel-names.js';
import { formatVersion, metadataKeys } from './format.js';
import { units } from './units.js';

/** Name of the group that stands for all examples of a minibatch. */
export const minibatchGroup = 'minibatch';

/** Name of the tensor that stands for the sum over all tensors. */
export const totalTensor = 'total';

/** What the `events` table can report. */
export const eventKinds = ['start', 'checkpoint', 'resume', 'interrupt', 'nan', 'warning', 'end'] as const;

/** What a training example is. */
export const exampleKinds = ['definition', 'qa'] as const;

const stage = dictionary('Stage of the training schedule.', (d) => d.stages);
const step = int32('Optimizer step, counted from 1 over the whole run.', { unit: 'step' });
const epoch = float64('Passes over the data of the stage.', { unit: 'epoch' });
const tensor = dictionary('Parameter tensor; total is the sum over all tensors.', (d) => [
  totalTensor,
  ...d.tensors,
]);
const group = dictionary('Group of training examples; minibatch is all of them.', (d) => [
  minibatchGroup,
  ...d.groups,
]);

const checkpointStep = int32('Updates before the checkpoint; 0 is the untrained model.', { unit: 'step' });
const definition = dictionary('The definition as trained on, or how it was changed.', () => definitionKinds);

/** Every table of a run folder. A new table is one more entry here. */
export const tables = {
  steps: {
    name: 'steps',
    row: 'one optimizer step',
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
      grad_norm: float64('Euclidean norm of the minibatch gradient before clipping.', {
        unit: units.gradient,
      }),
      clip_factor: float64('Factor that clipping multiplied the gradient by; 1 means not clipped.'),
      update_norm: float64('Euclidean norm of the change of the parameters; null means not measured.', {
        unit: units.parameter,
        nullable: true,
      }),
      step_ms: float64('Wall time of the step without logging.', { unit: 'ms' }),
      log_ms: float64('Wall time that gradient logging added to the step.', { unit: 'ms' }),
    },
    groupColumns: {
      prefix: 'examples_',
      unit: 'example',
      description: (name: string) => `Examples of the group ${name} in the minibatch.`,
    },
  },
  batches: {
    name: 'batches',
    row: 'one optimizer step',
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
    columns: {
      example: int32('Number of the example, the same in every stage of the run.'),
      group: dictionary('Group of the example: subset and kind.', (d) => d.groups),
      subset: dictionary('Subset of the variable.', (d) => d.subsets),
      kind: dictionary('Whether the example is a definition or a question.', () => exampleKinds),
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
  gradients: {
    name: 'gradients',
    row: 'one step x group x tensor',
    columns: {
      stage,
      step,
      group,
      tensor,
      norm2: float64("Squared Euclidean norm of the group's part of the minibatch gradient.", {
        unit: units.gradient2,
      }),
      example_norm2: float64(
        "Sum over the group's examples of the squared norm of the per-example gradient; null means not measured.",
        { unit: units.gradient2, nullable: true },
      ),
    },
  },
  gram: {
    name: 'gram',
    row: 'one step x tensor x pair of groups',
    columns: {
      stage,
      step,
      tensor,
      group_a: group,
      group_b: group,
      inner: float64('Inner product of the gradients of the two groups.', { unit: units.gradient2 }),
      cosine: float64('Cosine of the gradients of the two groups; null means that one of them is zero.', {
        nullable: true,
      }),
    },
  },
  sketches: {
    name: 'sketches',
    row: 'one step x group x tensor',
    columns: {
      stage,
      step,
      group,
      tensor,
      sketch: fixedListFloat32(
        "Random projection of the group's gradient.",
        (d) => d.sketchSize,
        units.gradient,
      ),
    },
  },
  vectors: {
    name: 'vectors',
    row: 'one step x group x tensor x chunk',
    columns: {
      stage,
      step,
      group,
      tensor,
      chunk: int32('Number of the chunk within the tensor, counted from 0.'),
      offset: int32('Place of the first value of the chunk within the flattened tensor.', { unit: 'value' }),
      values: listFloat32("Values of the group's gradient in the row-major order of the tensor.", {
        unit: units.gradient,
      }),
    },
  },
  metrics: {
    name: 'metrics',
    row: 'one evaluation x test set x subset x metric',
    columns: {
      stage,
      step,
      epoch,
      set: dictionary('Test set.', (d) => d.testSets),
      subset: dictionary('Subset of the variables.', (d) => d.subsets),
      metric: dictionary('What is measured.', (d) => d.metrics),
      value: float64('Value of the metric.', { unit: units.metric }),
      n: int32('Examples behind the value.', { unit: 'example' }),
      standard_error: float64('Standard error of the value; null means that it is not defined.', {
        unit: units.metric,
        nullable: true,
      }),
    },
  },
  alignment: {
    name: 'alignment',
    derived: true,
    row: 'one checkpoint x question set of an entity x pairing x tensor',
    columns: {
      stage,
      step: checkpointStep,
      subset: dictionary('Subset of the entity.', (d) => d.subsets),
      variable: int32('Variable that the questions are about.'),
      questions: dictionary('Questions of the set: trained on, or held out.', () => questionKinds),
      pairing: dictionary('Which definition is held against the questions.', () => pairings),
      definitions: int32('Definitions averaged over; 1 except for mismatched pairings and random.'),
      tensor: dictionary(
        'Parameter tensor; total is the sum over all, without_embeddings leaves out embeddings and unembedding.',
        (d) => [totalTensor, withoutEmbeddings, ...d.tensors],
      ),
      inner: float64(
        'Inner product of the gradient of the definition with the mean gradient of the questions.',
        { unit: units.gradient2 },
      ),
      norm_definition: float64('Norm of the gradient of the definition.', { unit: units.gradient }),
      norm_questions: float64('Norm of the mean gradient of the questions.', { unit: units.gradient }),
      cosine: float64('Cosine of the two; null means that one of them is zero.', { nullable: true }),
      pairwise_cosine: float64(
        'Mean over the questions of their cosines with the definition; null means that all norms are zero.',
        { nullable: true },
      ),
    },
  },
  panel_gram: {
    name: 'panel_gram',
    derived: true,
    row: 'one checkpoint x tensor x definition of the panel',
    columns: {
      stage,
      step: checkpointStep,
      tensor: dictionary('Sum over tensors.', () => [totalTensor, withoutEmbeddings]),
      subset: dictionary('Subset of the definition.', (d) => d.subsets),
      variable: int32('Variable of the definition.'),
      definition,
      norm2: float64('Squared norm of the gradient of the definition.', { unit: units.gradient2 }),
      inner: listFloat64(
        "Inner products with the gradients of the panel's questions, in the order of the table panel_questions.",
        { unit: units.gradient2 },
      ),
    },
  },
  panel_questions: {
    name: 'panel_questions',
    derived: true,
    row: 'one checkpoint x tensor x question of the panel',
    columns: {
      stage,
      step: checkpointStep,
      tensor: dictionary('Sum over tensors.', () => [totalTensor, withoutEmbeddings]),
      question: int32('Number of the question: its place in the lists of panel_gram.'),
      subset: dictionary('Subset of the variable.', (d) => d.subsets),
      variable: int32('Variable that the question is about.'),
      questions: dictionary('Questions of the set: trained on, or held out.', () => questionKinds),
      norm2: float64('Squared norm of the gradient of the question.', { unit: units.gradient2 }),
    },
  },
  entity_gram: {
    name: 'entity_gram',
    derived: true,
    row: 'one checkpoint x tensor sum x definition or question set of the panel',
    columns: {
      stage,
      step: checkpointStep,
      tensor: dictionary('Sum over tensors.', () => [totalTensor, withoutEmbeddings]),
      vector: int32('Number of the row: definitions kind after kind, then question sets.'),
      subset: dictionary('Subset of the variable.', (d) => d.subsets),
      variable: int32('Variable that it is about.'),
      role: dictionary('Definition of a kind, or the mean gradient of questions of a kind.', () => [
        ...definitionKinds,
        ...questionKinds,
      ]),
      inner: listFloat64('Inner products with all rows of the same checkpoint and tensor, in their order.', {
        unit: units.gradient2,
      }),
    },
  },
  penalty: {
    name: 'penalty',
    derived: true,
    row: 'one checkpoint x batch size x draw of a partition of the training set',
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
  landscape: {
    name: 'landscape',
    derived: true,
    row: 'one checkpoint',
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
  epoch_drift: {
    name: 'epoch_drift',
    derived: true,
    row: 'one checkpoint x learning rate',
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
  transfer: {
    name: 'transfer',
    derived: true,
    row: 'one checkpoint x entity x definition x update',
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
  factors: {
    name: 'factors',
    derived: true,
    row: 'one checkpoint x example of the panel x use of a parameter',
    columns: {
      stage,
      step: checkpointStep,
      example: int32('Number of the example in the panel: definitions kind after kind, then question sets.'),
      subset: dictionary('Subset of the variable.', (d) => d.subsets),
      variable: int32('Variable that the example is about.'),
      role: dictionary('Definition of a kind, or question of a kind.', () => [
        ...definitionKinds,
        ...questionKinds,
      ]),
      tensor: dictionary('Parameter tensor.', (d) => d.tensors),
      use: int32('Number of the use, for parameters that are used more than once.'),
      kind: dictionary(
        'What is summed over rows: linear, left (x) right; vector, right; embedding, right at row ids of the table.',
        () => ['linear', 'vector', 'embedding'],
      ),
      rows: int32('Rows of the factors.'),
      left: listFloat32('Left factor [row, in]; empty but for linear.'),
      ids: listInt32('Rows of the table; empty but for embedding.'),
      right: listFloat32('Right factor [row, out].', { unit: units.gradient }),
    },
  },
  events: {
    name: 'events',
    row: 'one event of the run',
    columns: {
      step,
      time: float64('Time of the event since 1970-01-01 UTC.', { unit: 'ms' }),
      kind: dictionary('What happened.', () => eventKinds),
      message: utf8('What happened, for people.'),
    },
  },
} as const satisfies Record<string, TableDefinition>;

/** Name of a table of the registry. */
export type TableName = keyof typeof tables;

/** Names of all tables, in the order of the registry. */
export const tableNames = Object.keys(tables) as readonly TableName[];

const derivedNames: ReadonlySet<string> = new Set(
  Object.values<TableDefinition>(tables)
    .filter((table) => table.derived === true)
    .map((table) => table.name),
);

/** Whether a name is that of a {@link TableDefinition.derived} table. */
export function isDerived(table: string): boolean {
  return derivedNames.has(table);
}

/** Facts about the run for the schema metadata: seed, loss reduction and so on. */
export type RunMetadata = Readonly<Record<string, string>>;

/** The Arrow schema of a table and the columns behind it. */
export interface TableSchema {
  readonly table: string;
  readonly columns: readonly ResolvedColumn[];
  readonly schema: Schema;
}

/**
 * The Arrow schema of a table for a run's dimensions. Its metadata hold the format version, the table's name, the
 * units and the run's own entries; each field's metadata hold unit and description. Dictionary ids are column
 * numbers, so that the same call always gives the same bytes. Throws an Error where {@link resolveColumns} does and
 * for a run entry whose key starts with `gradscope.`.
 */
export function makeSchema(
  table: TableDefinition,
  dimensions: Dimensions,
  runMetadata: RunMetadata = {},
): TableSchema {
  const columns = resolveColumns(table, dimensions);
  const unitsByColumn = Object.fromEntries(
    columns.flatMap(({ name, unit }) => (unit === '' ? [] : [[name, unit]])),
  );
  const metadata = new Map<string, string>([
    [metadataKeys.version, String(formatVersion)],
    [metadataKeys.table, table.name],
    [metadataKeys.units, JSON.stringify(unitsByColumn)],
  ]);
  for (const [key, value] of Object.entries(runMetadata)) {
    if (key.startsWith('gradscope.')) throw new Error(`run metadata: the key ${key} belongs to the store`);
    metadata.set(key, value);
  }
  return { table: table.name, columns, schema: makeArrowSchema(columns, metadata) };
}
