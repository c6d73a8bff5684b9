import type * as tf from '@tensorflow/tfjs-core';
import type { Model } from '../../../src/train/models/model.js';
import { buildConvnet } from '../../../src/train/models/convnet/convnet.js';
import { buildTransformer } from '../../../src/train/models/transformer/transformer.js';
import { familyCases } from './family-cases.js';
import { convnetCases, randomImageBatch } from './image-cases.js';
import { randomTextBatch, transformerCases } from './transformer-cases.js';

/** A model of any family with seeded batches for it. */
export interface ModelCase {
  readonly name: string;
  readonly build: () => Model;
  readonly batch: (replicas: number, examples: number) => Record<string, tf.Tensor>;
}

export const modelCases: readonly ModelCase[] = [
  ...transformerCases.map(({ name, config, shape }) => ({
    name,
    build: () => buildTransformer(config, { shape, hidePadding: false }),
    batch: (replicas: number, examples: number) =>
      randomTextBatch(shape, replicas, examples, config.variableEmbedding?.width ?? null),
  })),
  ...familyCases,
  // One is enough: what the others vary is inside the convolutions, which have tests of their own.
  ...convnetCases.slice(0, 1).map(({ name, config, shape }) => ({
    name: `ConvNet: ${name}`,
    build: () => buildConvnet(config, { shape, hidePadding: false }),
    batch: (replicas: number, examples: number) => randomImageBatch(shape, replicas, examples),
  })),
];
