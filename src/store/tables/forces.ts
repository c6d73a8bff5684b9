import { dictionary, float64, int32, type TableDefinition } from '../columns.js';
import { units } from '../units.js';
import type { Pairing } from './alignment.js';
import { stage, checkpointStep, questionKinds, totalTensor, withoutEmbeddings } from './common.js';

/**
 * What moves inner products of gradients in the mean dynamics of SGD: the loss, and the two parts of the implicit penalty, the
 * squared norm of the mean gradient and the variance of the gradients of single examples.
 */
export const forceNames = ['task', 'norm', 'alignment'] as const;

export type ForceName = (typeof forceNames)[number];

/** Pairings whose forces are measured. */
const forcePairings = [
  'matched',
  'mismatched',
  'tag_swap',
  'tag_swap_mismatched',
] as const satisfies Pairing[];

export type ForcePairing = (typeof forcePairings)[number];

const pairs = {
  subset: dictionary('Subset of the variables.', (d) => d.subsets),
  questions: dictionary('Questions of the pairs: trained on, or held out.', questionKinds),
  pairing: dictionary(
    'Which definition is held against which questions: of the same variable or of others, as trained or with the tag swapped.',
    () => forcePairings,
  ),
  tensor: dictionary(
    'Parameter tensor; total is the sum over all, without_embeddings leaves out embeddings and unembedding.',
    (d) => [totalTensor, withoutEmbeddings, ...d.tensors],
  ),
  pairs: int32('Pairs that the row is a mean over.'),
  inner: float64(
    'Mean inner product of the gradient of a definition with the mean gradient of the questions of a variable.',
    { unit: units.gradient2 },
  ),
  cosine: float64('Mean cosine of the two; null means that no pair has one.', { nullable: true }),
};

/** What moves inner products of definitions and questions in training. */
export const forceTables = {
  forces: {
    name: 'forces',
    derived: true,
    row: 'one checkpoint x force x pairing of a subset x tensor',
    when: 'checkpoints within the stage with questions',
    columns: {
      stage,
      step: checkpointStep,
      force: dictionary(
        'Where it comes from: task, the loss; norm and alignment, the two parts of the implicit penalty.',
        () => forceNames,
      ),
      ...pairs,
      inner_rate: float64('Change of inner by the force in one update, to first order.', {
        unit: units.gradient2,
      }),
      cosine_rate: float64('Change of cosine by the force in one update, to first order.', {
        nullable: true,
      }),
    },
  },
  force_ledger: {
    name: 'force_ledger',
    derived: true,
    row: 'one checkpoint x number of updates x pairing of a subset x tensor',
    when: 'checkpoints within the stage with questions',
    columns: {
      stage,
      step: checkpointStep,
      updates: int32('Updates after the checkpoint that are taken again: 1, and those of an epoch.', {
        unit: 'step',
      }),
      ...pairs,
      inner_change: float64('Change of inner by these updates.', { unit: units.gradient2 }),
      inner_first: float64('First-order part of inner_change, along the change of the parameters.', {
        unit: units.gradient2,
      }),
      inner_second: float64('Second-order part, by a step forward and one back; up to the fourth order.', {
        unit: units.gradient2,
      }),
      cosine_change: float64('Change of cosine by these updates.', { nullable: true }),
      cosine_first: float64('First-order part of cosine_change.', { nullable: true }),
      cosine_second: float64('Second-order part of cosine_change.', { nullable: true }),
    },
  },
} as const satisfies Record<string, TableDefinition>;
