import { z } from 'zod';

const positive = z.number().int().positive();
/** Pixels, of pictures of at most 1024 in a side. */
const pixels = positive.max(1024);

const stageSchema = z.strictObject({
  width: positive.max(1 << 16).describe('channels'),
  blocks: positive.max(256).describe('blocks of the stage'),
});

export const convnextSchema = z.strictObject({
  kind: z.literal('convnext'),
  stem: z
    .strictObject({
      kernel: pixels.describe('side of the patches'),
      stride: pixels.describe('distance between neighbouring patches'),
    })
    .describe('first convolution, followed by LayerNorm'),
  stages: z
    .array(stageSchema)
    .min(1)
    .max(100)
    .describe('stages; between them LayerNorm and a convolution of 2 x 2 with stride 2'),
  kernel: z
    .number()
    .int()
    .positive()
    .max(1023)
    .refine((side) => side % 2 === 1, 'expected an odd number')
    .default(7)
    .describe('side of the windows of a block'),
  expansion: positive.max(64).default(4).describe('width of a block inside, in widths of its stage'),
  standardDeviation: z
    .number()
    .min(1e-8)
    .max(100)
    .default(0.02)
    .describe('of initial weights; biases start at 0'),
  epsilon: z
    .number()
    .min(1e-37)
    .max(1)
    .default(1e-6)
    .describe('added to the variance in LayerNorm, and in GRN'),
});

export type ConvnextConfig = z.infer<typeof convnextSchema>;
