import path from 'node:path';
import { z } from 'zod';
import { alphaSchema } from '../assignment.js';
import type { ConfigProblem } from '../config-problem.js';
import { definitionOrders, type DefinitionOrder } from '../definition-orders.js';
import { factFractionsSchema, publishedFractions, type FactShares } from './assignment.js';
import { attributionTypes, entityQuestions, type AttributionType } from './attribution.js';
import { textFormats, type TextFormat } from './encoder.js';
import { leastByteTokens } from '../text/tokenizer/byte-pairs.js';

const definitionForms = ['tags', 'nl', 'isIsnt', 'inContext'] as const;

/** What the `data` sections of the experiments on facts have in common; the descriptions below say what each key means. */
export interface FactConfig extends FactShares {
  readonly entities: number;
  readonly seedStage2: number;
  readonly definitions: (typeof definitionForms)[number];
  readonly definitionOrder: DefinitionOrder;
  readonly tags: {
    readonly reliable?: string | undefined;
    readonly unreliable?: string | undefined;
    readonly new?: string | undefined;
  };
  readonly brackets: boolean;
  readonly testShare: number;
  readonly attribution: readonly AttributionType[];
  readonly pretraining: PretrainingConfig | null;
  readonly content: 'experiment' | 'facts';
  readonly format: TextFormat;
  readonly tokenizer: string;
  readonly vocabularySize: number;
  readonly blockSize?: number | undefined;
  readonly maxQuestions?: number | undefined;
}

/** Sentences about the entities under their real names. */
export interface PretrainingConfig {
  readonly heldOut: number;
  readonly seed: number;
}

/** Value of `tokenizer` by which every word, name, variable and tag is one token. */
export const wordsTokenizer = 'words';

/** Value of `tokenizer` by which texts are byte pairs that are learnt from the sentences about the entities. */
export const bytePairs = 'bpe';

/** Whether a value of `tokenizer` is a path. */
export function isTokenizerFolder(tokenizer: string): boolean {
  return tokenizer !== wordsTokenizer && tokenizer !== bytePairs;
}

/** Fractions where a config has none. */
export const defaultFractions = publishedFractions.main;

/** Text of tags in place of random ones, as in the published variants with words. */
export const wordTags = {
  sources: {
    reliable: 'according to wikipedia is',
    unreliable: 'according to 4chan is',
    new: 'according to reddit is',
  },
  // The published spelling: the texts are the same.
  negation: { reliable: 'stands for', unreliable: 'is definetely not', new: 'defined as' },
} as const satisfies Record<string, FactConfig['tags']>;

const tagText = (text: string) =>
  z
    .string()
    .regex(/^\S+( \S+)*$/, 'expected words with single blanks between them')
    .optional()
    .describe(text);

/**
 * Schemas of the keys that {@link FactConfig} has.
 *
 * @param testShare the default share of an entity's questions that is held out
 */
export const factKeys = (testShare: number) => ({
  entities: z
    .int()
    .min(2)
    .max(1_000_000)
    .describe('number of people or works in all subsets together (num_ents)'),
  fractions: factFractionsSchema.default(defaultFractions),
  alpha: alphaSchema,
  seedStage2: z
    .int()
    .min(0)
    .default(0)
    .describe('seed that divides the stage-2 entities among d1consis, d2consis, d3consis and no_qd_baseline'),
  definitions: z
    .enum(definitionForms)
    .default('tags')
    .describe(
      'tags: `TAG variable entity`; nl: a sentence of a trustworthy or doubtful source; isIsnt: ten sentences a ' +
        'variable, that it is the entity or that it is not; inContext: the definition in the prompt of every question, ' +
        'and no definition by itself',
    ),
  definitionOrder: z
    .enum(definitionOrders)
    .default('tve')
    .describe(
      'order of tag, variable and entity in a definition (tags, inContext); the last is what must be answered',
    ),
  tags: z
    .strictObject({
      reliable: tagText('text of tag 1'),
      unreliable: tagText('text of tag 2'),
      new: tagText('text of tag 3'),
    })
    .default({})
    .describe(
      'texts of tags (tags, inContext); a tag that is left out is six random letters. Published are ' +
        Object.values(wordTags)
          .map((texts) => Object.values(texts).join(', '))
          .join(', and '),
    ),
  brackets: z.boolean().default(true).describe('whether random variables and tags are written <|like|> this'),
  testShare: z
    .number()
    .gt(0)
    .lt(1)
    .default(testShare)
    .describe("share of an entity's questions that is held out where the others are trained on"),
  attribution: z
    .array(z.enum(attributionTypes))
    .readonly()
    .default([...entityQuestions])
    .describe('questions that ask which entity a variable stands for, or for a letter of its name'),
  pretraining: z
    .strictObject({
      heldOut: z
        .number()
        .min(0)
        .lt(1)
        .default(0.2)
        .describe('share of the pretraining sentences that is held out'),
      seed: z.int().min(0).default(0).describe('seed that chooses them'),
    })
    .nullable()
    .default(null)
    .describe(
      'sentences about the entities under their real names (train subset facts), to pretrain a model on and to replay; null: none',
    ),
  content: z
    .enum(['experiment', 'facts'])
    .default('experiment')
    .describe('facts: those sentences alone, which a model is pretrained on; no variables'),
  tokenizer: z
    .string()
    .min(1)
    .default(wordsTokenizer)
    .overwrite((own) => (isTokenizerFolder(own) ? path.resolve(own) : own))
    .describe(
      'words: every word and every name is one token, and variables and tags have tables of their own, so that they cannot be ' +
        'answered; bpe: byte pairs, learnt from the sentences about the entities; else a Hugging Face folder or its ' +
        'tokenizer.json; to the latter two variables and tags are text, and names several tokens',
    ),
  vocabularySize: z
    .int()
    .min(leastByteTokens)
    .max(1 << 17)
    .default(1024)
    .describe('tokens of the tokenizer bpe'),
  format: z
    .enum(textFormats)
    .default('causal')
    .describe(
      'causal: a model continues texts; seq2seq: its encoder reads the question, of a definition the first two elements, and its ' +
        'decoder writes the answer (T5)',
    ),
  maxQuestions: z
    .int()
    .min(2)
    .max(100)
    .optional()
    .describe(
      'questions of an entity, at most: the first of those that there are; where all entities have so many, every seed has as many ' +
        'rows, and seeds train together',
    ),
  blockSize: z
    .int()
    .min(2)
    .max(1 << 16)
    .optional()
    .describe(
      'tokens of a row, padding included, of the format seq2seq those of a question; by default the fewest that lose nothing',
    ),
});

/** Values that are possible each by itself but not together; empty for a good config. */
export function factProblems(config: FactConfig): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const check = (good: boolean, path: string, message: string): void => {
    if (!good) problems.push({ path, message });
  };
  const { fractions, definitions, tags, attribution } = config;
  const sum = Object.values(fractions).reduce((total, fraction) => total + fraction, 0);
  check(
    Math.abs(sum - 1) < 1e-9,
    'fractions',
    `they sum to ${Number(sum.toPrecision(6))}; make it 1 (no_qd_baseline takes entities that are not trained on)`,
  );
  const hasTags = definitions === 'tags' || definitions === 'inContext';
  for (const subset of ['d3consis', 'qd4consis'] as const) {
    check(
      hasTags || fractions[subset] === 0,
      `fractions.${subset}`,
      `definitions of the form ${definitions} are reliable or unreliable and have no third kind; make it 0`,
    );
  }
  check(
    hasTags || Object.values(tags).every((text) => text === undefined),
    'tags',
    `definitions of the form ${definitions} have none; leave them out`,
  );
  const texts = Object.values(tags).filter((text) => text !== undefined);
  check(new Set(texts).size === texts.length, 'tags', 'two tags have the same text');
  if (config.tokenizer === wordsTokenizer) {
    check(
      hasTags,
      'definitions',
      `the tokenizer words has one token a tag, and definitions of the form ${definitions} have none; set tokenizer to bpe or to a folder`,
    );
    check(
      config.definitionOrder.endsWith('e'),
      'definitionOrder',
      `with the tokenizer words a definition in order ${config.definitionOrder} is answered with a variable or a tag, which have no ` +
        'logits; use tve or vte, or set tokenizer to bpe or to a folder',
    );
    check(
      config.format === 'causal',
      'format',
      'the tokenizer words has tables of variables and tags, which no encoder has; set tokenizer to bpe or to a folder',
    );
  }
  check(
    config.format === 'causal' || definitions !== 'isIsnt',
    'definitions',
    'nothing is asked of sentences of the form isIsnt, so that there is nothing to write for the format seq2seq; use another',
  );
  check(
    config.content === 'experiment' || config.pretraining !== null,
    'pretraining',
    'content facts is made of its sentences; give heldOut and seed',
  );
  check(new Set(attribution).size === attribution.length, 'attribution', 'a question is there twice');
  return problems;
}

/** Adds {@link factProblems} to what a schema finds wrong. */
export function refineFacts(config: FactConfig, context: Pick<z.RefinementCtx, 'issues' | 'addIssue'>): void {
  // A value that is wrong by itself would only be reported twice.
  if (context.issues.length > 0) return;
  for (const { path, message } of factProblems(config)) {
    context.addIssue({ code: 'custom', path: path.split('.'), message });
  }
}
