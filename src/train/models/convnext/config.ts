import { z } from 'zod';

const positive = z.number().int().positive();

const stageSchema = z.strictObject({
  width: positive.describe('channels'),
  blocks: positive.describe('blocks of the stage'),
});

export const convnextSchema = z.strictObject({
  kind: z.literal('convnext'),
  stem: z
    .strictObject({
      kernel: positive.describe('side of the patches'),
      stride: positive.describe('distance between neighbouring patches'),
    })
    .describe('first convolution, followed by LayerNorm'),
  stages: z
    .array(stageSchema)
    .min(1)
    .describe('stages; between them LayerNorm and a convolution of 2 x 2 with stride 2'),
  kernel: z
    .number()
    .int()
    .positive()
    .refine((side) => side % 2 === 1, 'expected an odd number')
    .default(7)
    .describe('side of the windows of a block'),
  expansion: positive.default(4).describe('width of a block inside, in widths of its stage'),
  standardDeviation: z.number().positive().default(0.02).describe('of initial weights; biases start at 0'),
  epsilon: z.number().positive().default(1e-6).describe('added to the variance in LayerNorm, and in GRN'),
});

export type ConvnextConfig = z.infer<typeof convnextSchema>;
