import { z } from 'zod';
import { definitionOrders, type DefinitionOrder } from '../definition-orders.js';
import { alphaSchema, fractionsSchema, seedStage2Schema, type AssignmentConfig } from '../assignment.js';
import { setInclusionProblems } from './config-problems.js';

/** The `data` section of a set-inclusion experiment; the schema's descriptions say what each key means. */
export interface SetInclusionConfig extends AssignmentConfig {
  readonly maxNumber: number;
  readonly listLength: number;
  readonly intersection: number;
  readonly labelFlipProbability: number;
  readonly definitionOrder: DefinitionOrder;
  readonly format: 'compact' | 'paper';
  readonly names: 'used' | 'all';
  readonly blockSize?: number | undefined;
}

export const setInclusionSchema: z.ZodType<SetInclusionConfig> = z
  .strictObject({
    variables: z.int().min(2).max(1_000_000).describe('number of variables in all subsets together (num_x)'),
    maxNumber: z
      .int()
      .min(1)
      .max(100_000)
      .default(99)
      .describe('largest number; numbers run from 0 to it (98 is faithful to the published code)'),
    listLength: z.int().min(1).max(1000).describe('numbers in the list of a question (k)'),
    intersection: z
      .int()
      .min(1)
      .max(1000)
      .default(1)
      .describe(
        'numbers that all true training lists of a variable share (n_intersection); its value is one of them',
      ),
    labelFlipProbability: z
      .number()
      .min(0)
      .lt(1)
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
    alpha: alphaSchema,
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
      .max(4096)
      .optional()
      .describe(
        'tokens of a row, padding included (16 in the paper); by default the fewest that lose nothing',
      ),
    seedStage2: seedStage2Schema,
  })
  .superRefine((config, context) => {
    // A value that is wrong by itself would only be reported twice.
    if (context.issues.length > 0) return;
    for (const { path, message } of setInclusionProblems(config)) {
      context.addIssue({ code: 'custom', path: path.split('.'), message });
    }
  });
