import { z } from 'zod';
import { UserError } from '../../data/errors.js';
import { parseSeedRange } from '../config/seeds.js';

const overrideSchema = z.string().regex(/^[^=]+=/, 'expected key.path=value');

/** An override as text, and the path in the sweep file at which it stands. */
export interface WrittenOverride {
  readonly text: string;
  readonly at: readonly PropertyKey[];
}

/** Overrides: a list of `key.path=value`, or a map from key paths to values. */
const overridesSchema = z
  .union([z.array(overrideSchema).max(1000), z.record(z.string().max(1000), z.unknown())])
  .default([])
  .describe('overrides: a list of key.path=value, or a map from key.path to values');

/** The overrides at a path of the file, each with its place. */
export function writtenOverrides(
  given: z.infer<typeof overridesSchema>,
  at: readonly PropertyKey[],
): WrittenOverride[] {
  return Array.isArray(given)
    ? given.map((text, i) => ({ text, at: [...at, i] }))
    : Object.entries(given).map(([key, value]) => ({
        // JSON is YAML, which the reader of overrides expects.
        text: `${key}=${JSON.stringify(value)}`,
        at: [...at, key],
      }));
}

const seedsSchema = z
  .union([z.string(), z.int().nonnegative()])
  .transform((seeds, context): number[] => {
    try {
      return parseSeedRange(String(seeds));
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      context.addIssue({ code: 'custom', message: error.message });
      return z.NEVER;
    }
  })
  .describe('seeds of an arm, such as 0..7');

const scaleSchema = z.enum(['linear', 'log']).default('linear').describe('of the axis in figures and trends');
const labelSchema = z.string().max(200).describe('what it is, for the axis of the figure');

const axisValueSchema = z.union([z.number(), z.string().max(100), z.boolean()], {
  error: ({ input }) =>
    typeof input === 'object'
      ? 'expected a number, a text, true or false: write anything else as the set of a named arm (arms)'
      : undefined,
});

const axisSchema = z.strictObject({
  key: z.string().describe('key of the experiment file that is varied, such as stages.0.batchSize'),
  label: labelSchema.optional(),
  scale: scaleSchema,
  values: z
    .array(axisValueSchema)
    .min(1)
    .max(1000)
    .describe('values of the key, one arm each; with several axes, one arm for each combination'),
});

const armSchema = z.strictObject({
  name: z
    .string()
    .max(100)
    .regex(/^[a-z0-9][a-z0-9.-]*$/, 'expected lower-case letters, digits, dots and hyphens')
    .describe('name of the arm; part of the name of its runs'),
  seeds: seedsSchema.optional(),
  set: overridesSchema,
});

const predictionSchema = z
  .strictObject({
    id: z
      .string()
      .max(100)
      .regex(/^[a-z][a-zA-Z0-9]*$/, 'expected letters and digits, the first a small letter')
      .describe('name of the prediction'),
    quantity: z.string().describe('id of the quantity that is compared, such as internalization.strongGap'),
    arm: z.string().optional().describe('arm whose quantity, less that of `minus`, has the predicted sign'),
    minus: z.string().optional().describe('arm that `arm` is compared with, seed by seed'),
    trend: z
      .string()
      .optional()
      .describe('key of the config, or of an axis, over which the quantity rises or falls'),
    arms: z
      .array(z.string().max(200))
      .min(1)
      .max(1000)
      .default(['*'])
      .describe('arms of a trend; * stands for any characters'),
    scale: z
      .enum(['linear', 'log'])
      .optional()
      .describe('of a trend; that of the axis by default, or linear'),
    paired: z
      .boolean()
      .default(true)
      .describe('compare a seed with itself in another arm; false: runs are taken as independent'),
    predicted: z
      .enum(['positive', 'negative', 'none'])
      .describe('sign of the contrast; none: too small to matter, within `band`'),
    band: z
      .number()
      .positive()
      .optional()
      .describe('contrasts up to this size are too small to matter, in the unit of the contrast'),
    because: z.string().min(1).max(1000).describe('why, in one sentence'),
  })
  .superRefine(({ arm, minus, trend, arms, scale, predicted, band }, context) => {
    const problem = (at: string, message: string): void =>
      context.addIssue({ code: 'custom', path: [at], message });
    if (trend === undefined && (arm === undefined || minus === undefined)) {
      problem('id', 'compares nothing; give arm and minus, or trend');
    }
    if (trend !== undefined && (arm !== undefined || minus !== undefined)) {
      problem('trend', 'stands beside arm and minus; make it two predictions');
    }
    if (trend === undefined && arms.join() !== '*') problem('arms', 'is for a trend; give arm and minus');
    if (trend === undefined && scale !== undefined) problem('scale', 'is for a trend; leave it out');
    if (arm !== undefined && arm === minus) problem('minus', 'is the same arm; name another');
    if (predicted === 'none' && band === undefined) {
      problem('predicted', 'none needs a band: how large a contrast is too small to matter');
    }
  });

export type WrittenPrediction = z.infer<typeof predictionSchema>;

/** A sweep file: configs to be compared, some seeds each. */
export const sweepSchema = z
  .strictObject({
    sweep: z
      .string()
      .max(100)
      .regex(/^[a-z0-9][a-z0-9-]*$/, 'expected lower-case letters, digits and hyphens')
      .describe('name of the sweep; part of the name of its runs'),
    description: z.string().max(10_000).default(''),
    base: z.string().describe('experiment file that is varied, relative to this file'),
    set: overridesSchema.describe('overrides of the base for all arms'),
    seeds: seedsSchema.optional().describe('seeds of every arm that has none of its own'),
    axes: z
      .array(axisSchema)
      .max(10)
      .default([])
      .describe('grid of values; with named arms, the whole grid for each of them'),
    arms: z.array(armSchema).max(1000).default([]).describe('named arms, with a few overrides each'),
    axis: z
      .strictObject({ key: axisSchema.shape.key, label: labelSchema, scale: scaleSchema })
      .optional()
      .describe('one axis whose values are the points, which have seeds and overrides of their own'),
    points: z
      .array(
        z.strictObject({
          value: z.number().describe('value of the key'),
          seeds: seedsSchema,
          set: overridesSchema.describe('further overrides, for this point'),
        }),
      )
      .min(1)
      .max(1000)
      .optional(),
    outcome: z
      .string()
      .default('internalization.strongGap')
      .describe('id of the quantity that the figure shows and explains'),
    mediator: z
      .string()
      .nullable()
      .default(null)
      .describe(
        'id of the quantity that the effect on the outcome may go through, such as alignment.tagSwapGap.all',
      ),
    predictions: z
      .array(predictionSchema)
      .max(1000)
      .default([])
      .describe('what is expected of the arms, written before the runs'),
  })
  .superRefine(({ axis, points, axes, arms }, context) => {
    const problem = (at: string, message: string): void =>
      context.addIssue({ code: 'custom', path: [at], message });
    const grid = axes.length + arms.length > 0;
    if ((axis === undefined) !== (points === undefined)) {
      problem(
        axis === undefined ? 'points' : 'axis',
        `goes with ${axis === undefined ? 'axis' : 'points'}, which is missing`,
      );
    } else if (axis !== undefined && grid) {
      problem('axis', 'stands beside axes or arms; write it as one of the axes');
    } else if (axis === undefined && !grid) {
      problem('sweep', 'has no arms; give axes, arms, or axis with points');
    }
  });

/** The values of a sweep file. */
export type SweepFile = z.infer<typeof sweepSchema>;
