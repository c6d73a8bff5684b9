import * as tf from '@tensorflow/tfjs-core';
import type { TextShape } from '../../../data/experiment.js';
import { transformerSchema, type TransformerConfig } from '../../../src/train/models/transformer/config.js';
import { randomIntegers, randomTensor, testStream } from './random.js';

const small: TransformerConfig = transformerSchema.parse({
  kind: 'transformer',
  layers: 2,
  width: 8,
  heads: 2,
  feedForward: 12,
  positions: 'learned',
  residual: 'sequential',
  initialisation: { kind: 'scaled' },
});
const words: TextShape = {
  modality: 'text',
  vocabularySize: 7,
  variables: 0,
  outputSize: 7,
  blockSize: 6,
  queries: 5,
  padToken: 0,
};
const answers: TextShape = { ...words, queries: 1 };
const variables = {
  width: 3,
  normalise: 'rms',
  epsilon: 1e-6,
  noise: 0.5,
  projection: true,
  scale: 1,
  standardDeviation: 1,
} as const;

export const transformerCases: { name: string; config: TransformerConfig; shape: TextShape }[] = [
  { name: 'GPT-2 shape, whole text', config: small, shape: words },
  { name: 'GPT-2 shape, answers only', config: small, shape: answers },
  { name: 'heads wide enough for products of their own', config: { ...small, width: 24 }, shape: words },
  { name: 'wide heads, answers only', config: { ...small, width: 24 }, shape: answers },
  { name: 'GPT-2 shape, three chosen positions', config: small, shape: { ...words, queries: 3 } },
  { name: 'tied embedding, whole text', config: { ...small, tiedEmbedding: true }, shape: words },
  { name: 'tied embedding, answers only', config: { ...small, tiedEmbedding: true }, shape: answers },
  {
    name: 'GPT-NeoX shape, whole text',
    config: { ...small, positions: 'rotary', rotaryFraction: 0.5, residual: 'parallel' },
    shape: words,
  },
  {
    name: 'GPT-NeoX shape, answers only',
    config: { ...small, positions: 'rotary', rotaryFraction: 1, residual: 'parallel' },
    shape: answers,
  },
  {
    name: 'GPT-J positions',
    config: { ...small, width: 16, positions: 'rotaryInterleaved', rotaryFraction: 0.5 },
    shape: answers,
  },
  {
    name: 'a table of variables, with noise',
    config: { ...small, variableEmbedding: variables },
    shape: { ...answers, vocabularySize: 5, variables: 9, outputSize: 4 },
  },
  {
    name: 'a table as wide as the model, one layer',
    config: { ...small, layers: 1, variableEmbedding: { ...variables, width: 8, projection: false } },
    shape: { ...answers, vocabularySize: 5, variables: 9, outputSize: 4 },
  },
  {
    name: 'tables of variables and of tags, answers of several tokens',
    config: {
      ...small,
      tiedEmbedding: true,
      variableEmbedding: { ...variables, width: 8, projection: false, scale: 0.5 },
      tagEmbedding: { standardDeviation: 1 },
    },
    shape: { ...answers, vocabularySize: 5, tags: 3, variables: 9, outputSize: 5, queries: 3 },
  },
];

/** A random batch of `replicas` x `examples`; where the shape has them, with one variable a row and in every second a tag. */
export function randomTextBatch(
  shape: TextShape,
  replicas: number,
  examples: number,
  noiseWidth: number | null,
) {
  const random = testStream(7);
  const { blockSize, queries } = shape;
  const tokens = randomIntegers(
    [replicas, examples, blockSize],
    shape.vocabularySize,
    random,
  ).arraySync() as number[][][];
  if (shape.variables > 0) {
    for (const row of tokens.flat())
      row[random.integer(2)] = shape.vocabularySize + (shape.tags ?? 0) + random.integer(shape.variables);
  }
  if (shape.tags !== undefined) {
    tokens.flat().forEach((row, i) => {
      if (i % 2 === 0) row[2] = shape.vocabularySize + random.integer(shape.tags!);
      // A row about no variable.
      if (i % 5 === 0) row[0] = row[1] = 0;
    });
  }
  const batch: Record<string, tf.Tensor> = {
    tokens: tf.tensor(tokens, [replicas, examples, blockSize], 'int32'),
    labels: randomIntegers([replicas, examples, queries], shape.outputSize, random),
    weights: tf.abs(randomTensor([replicas, examples, queries], random)),
  };
  if (queries < blockSize - 1)
    batch['positions'] = randomIntegers([replicas, examples, queries], blockSize, random);
  if (noiseWidth !== null) batch['variableNoise'] = randomTensor([replicas, examples, noiseWidth], random);
  return batch;
}
