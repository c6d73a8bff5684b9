import { z } from 'zod';
import { configProblems } from './config-problems.js';

/** Subsets whose share of the variables is configured; `qd1incons` and `qd2consis` come from `alpha`. */
export const fractionKeys = [
  'qd1consis',
  'qd2incons',
  'q',
  'd1consis',
  'd2consis',
  'd3consis',
  'no_qd_baseline',
] as const;

export type FractionKey = (typeof fractionKeys)[number];

/** Orders of tag (t), variable (v) and entity (e, here a number) in a definition; the last one is its answer. */
export const definitionOrders = ['tve', 'vte', 'evt', 'etv', 'tev', 'vet'] as const;

export type DefinitionOrder = (typeof definitionOrders)[number];

/** The `data` section of a set-inclusion experiment; the schema's descriptions say what each key means. */
export interface SetInclusionConfig {
  readonly variables: number;
  readonly maxNumber: number;
  readonly listLength: number;
  readonly intersection: number;
  readonly labelFlipProbability: number;
  readonly fractions: Readonly<Record<FractionKey, number>>;
  readonly alpha: number;
  readonly definitionOrder: DefinitionOrder;
  readonly format: 'compact' | 'paper';
  readonly names: 'used' | 'all';
  readonly blockSize?: number | undefined;
  readonly seedStage2: number;
}

const fraction = (text: string) => z.number().min(0).max(1).default(0).describe(text);

const fractionsSchema = z
  .strictObject({
    qd1consis: fraction('trained with questions and definitions with the reliable tag'),
    qd2incons: fraction('trained with questions and definitions with the unreliable tag'),
    q: fraction('trained with questions only'),
    d1consis: fraction('stage 2: definitions with the reliable tag'),
    d2consis: fraction('stage 2: definitions with the unreliable tag'),
    d3consis: fraction('stage 2: definitions with a tag that stage 1 never used'),
    no_qd_baseline: fraction('never trained on'),
  })
  .describe('share of the variables in each subset; they sum to 1');

export const setInclusionSchema: z.ZodType<SetInclusionConfig> = z
  .strictObject({
    variables: z.int().min(2).describe('number of variables in all subsets together (num_x)'),
    maxNumber: z
      .int()
      .min(1)
      .default(99)
      .describe('largest number; numbers run from 0 to it (98 is faithful to the published code)'),
    listLength: z.int().min(1).describe('numbers in the list of a question (k)'),
    intersection: z
      .int()
      .min(1)
      .default(1)
      .describe(
        'numbers that all true training lists of a variable share (n_intersection); its value is one of them',
      ),
    labelFlipProbability: z
      .number()
      .min(0)
      .max(1)
      .default(0)
      .describe('probability that a true training question is answered false'),
    fractions: fractionsSchema.default({
      qd1consis: 0.4,
      qd2incons: 0.4,
      q: 0,
      d1consis: 0.1,
      d2consis: 0.1,
      d3consis: 0,
      no_qd_baseline: 0,
    }),
    alpha: z
      .number()
      .min(0)
      .max(1)
      .default(1)
      .describe(
        'correlation of tag and consistency: the share alpha of the reliable-tag definitions in stage 1 is right ' +
          '(the others form qd1incons) and the share alpha of the unreliable-tag ones is wrong (the others: qd2consis)',
      ),
    definitionOrder: z
      .enum(definitionOrders)
      .default('tve')
      .describe('order of tag, variable and entity in a definition; the last is what must be answered'),
    format: z
      .enum(['compact', 'paper'])
      .default('compact')
      .describe(
        'compact: `v n1 n2` and `TAG v`, variables in a table of their own that cannot be answered; ' +
          'paper: `v % n1 n2 = true` and `TAG v % n`, all words in one vocabulary',
      ),
    names: z
      .enum(['used', 'all'])
      .default('used')
      .describe(
        "format paper: vocabulary with this run's variable names, or with all 17,576 of three letters",
      ),
    blockSize: z
      .int()
      .min(1)
      .optional()
      .describe(
        'tokens of a row, padding included (16 in the paper); by default the fewest that lose nothing',
      ),
    seedStage2: z
      .int()
      .min(0)
      .default(0)
      .describe('seed that divides the stage-2 variables among d1consis, d2consis and d3consis'),
  })
  .superRefine((config, context) => {
    // A value that is wrong by itself would only be reported twice.
    if (context.issues.length > 0) return;
    for (const { path, message } of configProblems(config)) {
      context.addIssue({ code: 'custom', path: path.split('.'), message });
    }
  });
