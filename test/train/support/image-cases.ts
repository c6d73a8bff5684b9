import type * as tf from '@tensorflow/tfjs-core';
import { abs } from '@tensorflow/tfjs-core';
import type { ImageShape } from '../../../data/experiment.js';
import { convnetSchema, type ConvnetConfig } from '../../../src/train/models/convnet/config.js';
import { convnextSchema, type ConvnextConfig } from '../../../src/train/models/convnext/config.js';
import { randomIntegers, randomTensor, testStream } from './random.js';

export interface ConvnetCase {
  readonly name: string;
  readonly config: ConvnetConfig;
  readonly shape: ImageShape;
}

export function imageShape(height: number, width: number, channels = 1): ImageShape {
  return {
    modality: 'image',
    height,
    width,
    channels,
    outputSize: 4,
    queries: 4,
    answers: ['A', 'B', 'C', '_'],
    queryColumns: 2,
  };
}

const convnet = (convolutions: object[], hidden: number[]): ConvnetConfig =>
  convnetSchema.parse({ kind: 'convnet', convolutions, hidden });

/** Small ConvNets: the recipe's trunk, overlapping and disjoint windows, pixels that no window reads, one layer. */
export const convnetCases: readonly ConvnetCase[] = [
  {
    name: "the recipe's trunk",
    config: convnet(
      [
        { channels: 3, kernel: 5, stride: 2, padding: 2 },
        { channels: 4, kernel: 3, stride: 2, padding: 1 },
        { channels: 5, kernel: 3, stride: 3, padding: { top: 2 } },
      ],
      [6, 7],
    ),
    shape: imageShape(14, 12),
  },
  {
    name: 'strides that leave pixels out, two channels, no hidden layer',
    config: convnet(
      [
        { channels: 3, kernel: 2, stride: 3 },
        { channels: 4, kernel: 2, stride: 1, padding: { left: 1, bottom: 2 } },
      ],
      [],
    ),
    shape: imageShape(10, 8, 2),
  },
  {
    name: 'one convolution',
    config: convnet([{ channels: 4, kernel: 3, padding: 1 }], [5]),
    shape: imageShape(4, 5),
  },
];

/** A ConvNeXt of two stages. */
export const convnextCase: { readonly config: ConvnextConfig; readonly shape: ImageShape } = {
  config: convnextSchema.parse({
    kind: 'convnext',
    stem: { kernel: 2, stride: 2 },
    stages: [
      { width: 3, blocks: 1 },
      { width: 4, blocks: 2 },
    ],
    kernel: 3,
    expansion: 2,
  }),
  shape: imageShape(10, 8),
};

/** Seeded fields of a batch of images. */
export function randomImageBatch(
  shape: ImageShape,
  replicas: number,
  examples: number,
): Record<'image' | 'labels' | 'weights', tf.Tensor> {
  const random = testStream(2);
  const { height, width, channels, queries, outputSize } = shape;
  return {
    image: randomTensor([replicas, examples, height, width, channels], random),
    labels: randomIntegers([replicas, examples, queries], outputSize, random),
    weights: abs(randomTensor([replicas, examples, queries], random)),
  };
}
