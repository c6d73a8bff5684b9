import { z } from 'zod';

const positive = z.number().int().positive();
const side = z.number().int().nonnegative().default(0);

const convolutionSchema = z.strictObject({
  channels: positive.describe('channels of the output'),
  kernel: positive.describe('side of the window'),
  stride: positive.default(1).describe('distance between neighbouring windows'),
  padding: z
    .union([
      z.number().int().nonnegative(),
      z.strictObject({ top: side, bottom: side, left: side, right: side }),
    ])
    .default(0)
    .describe('zeros around the input: the same on all sides, or side by side'),
});

export type ConvolutionConfig = z.infer<typeof convolutionSchema>;

export const convnetSchema = z.strictObject({
  kind: z.literal('convnet'),
  convolutions: z
    .array(convolutionSchema)
    .min(1)
    .describe('trunk: convolutions with ReLU between them; what the last one gives is flattened'),
  hidden: z.array(positive).describe('widths of the layers after the trunk: linear, LayerNorm, ReLU'),
  layerNormEpsilon: z.number().positive().default(1e-5).describe('added to the variance in LayerNorm'),
});

export type ConvnetConfig = z.infer<typeof convnetSchema>;
