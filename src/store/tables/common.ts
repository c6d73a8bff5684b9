import { dictionary, float64, int32 } from '../columns.js';

/** Name of the group that stands for all examples of a minibatch. */
export const minibatchGroup = 'minibatch';

/** Name of the tensor that stands for the sum over all tensors. */
export const totalTensor = 'total';

/** Name of the sum over all tensors but embeddings and unembedding. */
export const withoutEmbeddings = 'without_embeddings';

/** A definition of a panel as trained on, or how it was changed. */
export const definitionKinds = ['definition', 'tag_swap', 'entity_swap', 'unseen_tag'] as const;

export type DefinitionKind = (typeof definitionKinds)[number];

/** Which questions of a variable: those it is trained on, or held-out ones. */
export const questionKinds = ['trained', 'heldout'] as const;

export type QuestionKind = (typeof questionKinds)[number];

// Columns that several tables share.

export const stage = dictionary('Stage of the training schedule.', (d) => d.stages);
export const step = int32('Optimizer step, counted from 1 over the whole run.', { unit: 'step' });
export const epoch = float64('Passes over the data of the stage.', { unit: 'epoch' });
export const tensor = dictionary('Parameter tensor; total is the sum over all tensors.', (d) => [
  totalTensor,
  ...d.tensors,
]);
export const group = dictionary('Group of training examples; minibatch is all of them.', (d) => [
  minibatchGroup,
  ...d.groups,
]);

export const checkpointStep = int32('Updates before the checkpoint; 0 is the untrained model.', {
  unit: 'step',
});
export const definition = dictionary(
  'The definition as trained on, or how it was changed.',
  () => definitionKinds,
);
