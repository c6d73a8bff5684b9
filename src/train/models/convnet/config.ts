import { z } from 'zod';

const positive = z.number().int().positive();
/** Pixels, of pictures of at most 1024 in a side. */
const pixels = positive.max(1024);
const padding = z.number().int().nonnegative().max(1024);
const side = padding.default(0);
const width = positive.max(1 << 16);

const convolutionSchema = z.strictObject({
  channels: width.describe('channels of the output'),
  kernel: pixels.describe('side of the window'),
  stride: pixels.default(1).describe('distance between neighbouring windows'),
  padding: z
    .union([
      padding,
      z.strictObject({
        top: side.describe('rows above'),
        bottom: side.describe('rows below'),
        left: side.describe('columns on the left'),
        right: side.describe('columns on the right'),
      }),
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
    .max(100)
    .describe('trunk: convolutions with ReLU between them; what the last one gives is flattened'),
  hidden: z.array(width).max(100).describe('widths of the layers after the trunk: linear, LayerNorm, ReLU'),
  layerNormEpsilon: z.number().min(1e-37).max(1).default(1e-5).describe('added to the variance in LayerNorm'),
});

export type ConvnetConfig = z.infer<typeof convnetSchema>;
