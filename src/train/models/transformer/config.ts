import { z } from 'zod';

const positive = z.number().int().positive();
const width = positive.max(1 << 16);
/** Added before a root or a division: 0 as a float32 below, larger than what it is added to above. */
const epsilon = z.number().min(1e-37).max(1);
const standardDeviation = z.number().min(1e-8).max(100);

/** How a variable's own embedding is made (recipes for small models). */
export const variableEmbeddingSchema = z.strictObject({
  width: width.describe('width of the table of variables'),
  normalise: z.enum(['rms', 'none']).describe('rms: every row is divided by its root mean square'),
  epsilon: epsilon.default(1e-6).describe('added to the mean square before the root'),
  noise: z
    .number()
    .nonnegative()
    .max(100)
    .describe(
      'standard deviation of Gaussian noise added to the normalised row in training, never in evaluation',
    ),
  projection: z
    .boolean()
    .describe('a linear map without bias from the table to the model; needed where the widths differ'),
  scale: z
    .number()
    .min(1e-6)
    .max(1e6)
    .default(1)
    .describe('factor of the row after noise: root mean square that it comes to where it is normalised'),
  standardDeviation: standardDeviation.default(0.02).describe('of the initial table'),
});

/** The table of tags, where the data keep them out of the vocabulary. */
export const tagEmbeddingSchema = z.strictObject({
  standardDeviation: standardDeviation.default(0.02).describe('of the initial table'),
});

export type VariableEmbedding = z.infer<typeof variableEmbeddingSchema>;
export type TagEmbedding = z.infer<typeof tagEmbeddingSchema>;

export const transformerSchema = z
  .strictObject({
    kind: z.literal('transformer'),
    layers: positive.max(256).describe('number of blocks'),
    width: width.describe('width of the residual stream'),
    heads: positive.max(1024).describe('attention heads; must divide the width'),
    feedForward: positive.max(1 << 18).describe('hidden width of the MLP of a block'),
    positions: z
      .enum(['learned', 'rotary', 'rotaryInterleaved'])
      .describe(
        'learned: GPT-2; rotary: GPT-NeoX and Llama, dimension i paired with the one half a turn on; rotaryInterleaved: GPT-J, ' +
          'neighbours paired',
      ),
    rotaryFraction: z
      .number()
      .min(0.001)
      .max(1)
      .default(0.25)
      .describe('share of a head that rotary positions turn'),
    rotaryBase: z.number().min(1).max(1e9).default(10_000).describe('base of the rotary frequencies'),
    residual: z
      .enum(['sequential', 'parallel'])
      .describe('sequential: attention, then MLP (GPT-2); parallel: both read the same stream (GPT-NeoX)'),
    layerNormEpsilon: epsilon.default(1e-5).describe('added to the variance in LayerNorm'),
    tiedEmbedding: z.boolean().default(false).describe('whether input embedding and output share one table'),
    variableEmbedding: variableEmbeddingSchema
      .nullable()
      .default(null)
      .describe(
        "a table of their own for variables; null: variables are ordinary tokens of the model's vocabulary",
      ),
    tagEmbedding: tagEmbeddingSchema
      .nullable()
      .default(null)
      .describe("a table of their own for tags; null: tags are ordinary tokens of the model's vocabulary"),
    initialisation: z
      .discriminatedUnion('kind', [
        z.strictObject({ kind: z.literal('scaled') }),
        z.strictObject({ kind: z.literal('small') }),
        z.strictObject({
          kind: z.literal('normal'),
          standardDeviation: standardDeviation.describe('of all initial weights'),
        }),
      ])
      .describe(
        'scaled: embeddings N(0, .1), maps N(0, 1/fan-in), maps into the residual stream divided by sqrt(2 layers); ' +
          'small: as Pythia, embeddings N(0, .02), maps N(0, 2/(5 width)), maps into the residual stream ' +
          'N(0, 4/(layers^2 width)) (second argument: variance); normal: all N(0, standardDeviation)',
      ),
  })
  .refine(({ width, heads }) => width % heads === 0, { path: ['heads'], error: 'must divide the width' })
  .refine(
    ({ variableEmbedding, width }) =>
      variableEmbedding === null || variableEmbedding.projection || variableEmbedding.width === width,
    {
      path: ['variableEmbedding', 'projection'],
      error: 'must be true where the table is not as wide as the model',
    },
  )
  .refine(
    ({ positions, rotaryFraction, width, heads }) =>
      positions === 'learned' || rotatedSize(width / heads, rotaryFraction) % 2 === 0,
    { path: ['rotaryFraction'], error: 'must turn an even number of dimensions of a head' },
  );

export type TransformerConfig = z.infer<typeof transformerSchema>;

/** Dimensions of a head that rotary positions turn. */
export function rotatedSize(headSize: number, fraction: number): number {
  return Math.floor(headSize * fraction);
}
