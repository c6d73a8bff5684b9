import { z } from 'zod';
import { groupSelectionSchema } from '../../../../data/group-selection.js';

const strength = {
  lambda: z
    .number()
    .min(-1e6)
    .max(1e6)
    .optional()
    .describe('the loss gets (lambda / 4) R; below 0 it rewards R; 0 measures it alone'),
  forceRatio: z
    .number()
    .min(-1e3)
    .max(1e3)
    .optional()
    .describe(
      'instead of lambda: norm of the force of the penalty over that of the gradient, at every update; below 0 it rewards R',
    ),
  difference: z
    .enum(['forward', 'central'])
    .default('forward')
    .describe('of gradients: forward takes one backward pass more, central two, with a smaller error'),
};

const blockSchema = z.strictObject({
  first: groupSelectionSchema.describe('groups of the one factor'),
  second: groupSelectionSchema.describe('groups of the other factor'),
  weight: z
    .number()
    .min(-1e6)
    .max(1e6)
    .default(1)
    .describe('factor of the inner product in R; below 0 the penalty rewards alignment'),
  placebo: z
    .boolean()
    .default(false)
    .describe('examples drawn at random from the whole minibatch instead, as many as the two groups have'),
});

export type PenaltyBlock = z.infer<typeof blockSchema>;

export const penaltySchema = z
  .discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('variance'),
      size: z
        .number()
        .int()
        .positive()
        .max(1 << 20)
        .describe('examples of a micro-batch'),
      ...strength,
    }),
    z.strictObject({ kind: z.literal('fullNorm'), ...strength }),
    z.strictObject({ kind: z.literal('exampleNorm'), ...strength }),
    z.strictObject({
      kind: z.literal('blocks'),
      blocks: z
        .array(blockSchema)
        .min(1)
        .max(20)
        .describe('inner products of the mean gradients of two sets of groups'),
      ...strength,
    }),
  ])
  .superRefine(({ lambda, forceRatio }, context) => {
    if ((lambda === undefined) !== (forceRatio === undefined)) return;
    context.addIssue({
      code: 'custom',
      path: ['lambda'],
      message: 'a penalty has one strength: give either lambda or forceRatio',
    });
  })
  .nullable()
  .default(null)
  .describe(
    'a term (lambda / 4) R of the loss, R a quadratic form of gradients of parts of the minibatch: variance over ' +
      'micro-batches, squared norm of the minibatch gradient (fullNorm), mean squared norm of examples (exampleNorm), inner ' +
      'products of groups (blocks)',
  );

export type PenaltyConfig = NonNullable<z.infer<typeof penaltySchema>>;
