/** Names of what a probe panel compares, the same in its tables and in what is computed from them. */

/** The definition as trained on, or how it was changed. */
export const definitionKinds = ['definition', 'tag_swap', 'entity_swap', 'unseen_tag'] as const;

export type DefinitionKind = (typeof definitionKinds)[number];

/** Which questions of a variable: those it is trained on, or held-out ones. */
export const questionKinds = ['trained', 'heldout'] as const;

export type QuestionKind = (typeof questionKinds)[number];

/**
 * Which definition is held against an entity's questions.
 *
 * - `matched`: its own, as trained on; `tag_swap`, `entity_swap`, `unseen_tag`: its own, changed
 * - `mismatched`: the definitions of the other entities of its subset (the mean over all derangements)
 * - `tag_swap_mismatched`: those with their tags swapped
 * - `random`: the definitions of the entities of all other subsets
 */
export const pairings = [
  'matched',
  'tag_swap',
  'entity_swap',
  'unseen_tag',
  'mismatched',
  'tag_swap_mismatched',
  'random',
] as const;

export type Pairing = (typeof pairings)[number];

/** Name of the sum over all tensors but embeddings and unembedding. */
export const withoutEmbeddings = 'without_embeddings';

/**
 * How a definition moves the parameters: one plain gradient step, or its share in an update of the stage's optimizer,
 * with the second moments of the steps before.
 */
export const updateKinds = ['sgd', 'optimizer'] as const;

export type UpdateKind = (typeof updateKinds)[number];
