import { partKinds } from '../../../data/pieces.js';
import { bool, dictionary, float64, int32, listFloat64, utf8, type TableDefinition } from '../columns.js';
import { units } from '../units.js';
import {
  stage,
  checkpointStep,
  definition,
  totalTensor,
  definitionKinds,
  questionKinds,
  withoutEmbeddings,
} from './common.js';

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

/** What the tokens of a definition are, padding included: the groups by which its gradient is split. */
export const tokenGroups = [...partKinds, 'padding'] as const;

export type TokenGroup = (typeof tokenGroups)[number];

/** Gradients of the definitions of a panel against those of its questions, at checkpoints. */
export const alignmentTables = {
  alignment: {
    name: 'alignment',
    derived: true,
    row: 'one checkpoint x question set of an entity x pairing x tensor',
    when: 'every checkpoint',
    columns: {
      stage,
      step: checkpointStep,
      subset: dictionary('Subset of the entity.', (d) => d.subsets),
      variable: int32('Variable that the questions are about.'),
      questions: dictionary('Questions of the set: trained on, or held out.', questionKinds),
      pairing: dictionary('Which definition is held against the questions.', pairings),
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
  token_alignment: {
    name: 'token_alignment',
    derived: true,
    row: 'one checkpoint x question set of an entity x pairing x group of tokens x tensor sum',
    when: 'start and ends of stages, of texts whose experiment describes its examples',
    columns: {
      stage,
      step: checkpointStep,
      subset: dictionary('Subset of the entity.', (d) => d.subsets),
      variable: int32('Variable that the questions are about.'),
      questions: dictionary('Questions of the set: trained on, or held out.', questionKinds),
      pairing: dictionary('Which definition is held against the questions.', pairings),
      token_group: dictionary(
        'Tokens of the definition at whose places the parameters are used: what they do there makes the part of its gradient.',
        () => tokenGroups,
      ),
      tensor: dictionary('Sum over tensors.', [totalTensor, withoutEmbeddings]),
      inner: float64(
        'Inner product of the part of the gradient of the definition with the mean gradient of the questions; over groups the inner product of the table alignment.',
        { unit: units.gradient2 },
      ),
      norm_part: float64('Norm of the part of the gradient of the definition.', { unit: units.gradient }),
      cosine_part: float64(
        'Inner product over the norms of the whole gradients: the part of the cosine; over groups the cosine of the table alignment. Null means that one of them is zero.',
        { nullable: true },
      ),
      cosine: float64(
        'Cosine of the part itself with the mean gradient of the questions; null means that one of them is zero.',
        {
          nullable: true,
        },
      ),
    },
  },
  panel_tokens: {
    name: 'panel_tokens',
    derived: true,
    row: 'one piece of an example of the panel: a token of a text, or a part of what an image shows and asks',
    when: 'once, of experiments that describe their examples',
    columns: {
      example: int32(
        'Number of the example in the panel: definitions kind after kind, then question sets, as in the table factors.',
      ),
      subset: dictionary('Subset of the variable.', (d) => d.subsets),
      variable: int32('Variable that the example is about.'),
      role: dictionary('Definition of a kind, or question of a kind.', [
        ...definitionKinds,
        ...questionKinds,
      ]),
      place: int32('Place of the piece in the example, from 0.'),
      kind: dictionary('What the piece is.', () => partKinds),
      text: utf8('The piece in words.'),
      token: int32('Id of the token; null for what is no token.', { nullable: true }),
      position: int32(
        "Place among the tokens that the model reads, those of an encoder's text first; null for what it only answers.",
        { nullable: true },
      ),
      asked: bool('Whether it is a target of the loss.'),
    },
  },
  panel_gram: {
    name: 'panel_gram',
    derived: true,
    row: 'one checkpoint x tensor x definition of the panel',
    when: 'start and ends of stages',
    columns: {
      stage,
      step: checkpointStep,
      tensor: dictionary('Sum over tensors.', [totalTensor, withoutEmbeddings]),
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
    when: 'start and ends of stages',
    columns: {
      stage,
      step: checkpointStep,
      tensor: dictionary('Sum over tensors.', [totalTensor, withoutEmbeddings]),
      question: int32('Number of the question: its place in the lists of panel_gram.'),
      subset: dictionary('Subset of the variable.', (d) => d.subsets),
      variable: int32('Variable that the question is about.'),
      questions: dictionary('Questions of the set: trained on, or held out.', questionKinds),
      norm2: float64('Squared norm of the gradient of the question.', { unit: units.gradient2 }),
    },
  },
  entity_gram: {
    name: 'entity_gram',
    derived: true,
    row: 'one checkpoint x tensor sum x definition or question set of the panel',
    when: 'start and ends of stages',
    columns: {
      stage,
      step: checkpointStep,
      tensor: dictionary('Sum over tensors.', [totalTensor, withoutEmbeddings]),
      vector: int32('Number of the row: definitions kind after kind, then question sets.'),
      subset: dictionary('Subset of the variable.', (d) => d.subsets),
      variable: int32('Variable that it is about.'),
      role: dictionary('Definition of a kind, or the mean gradient of questions of a kind.', [
        ...definitionKinds,
        ...questionKinds,
      ]),
      inner: listFloat64('Inner products with all rows of the same checkpoint and tensor, in their order.', {
        unit: units.gradient2,
      }),
    },
  },
} as const satisfies Record<string, TableDefinition>;
