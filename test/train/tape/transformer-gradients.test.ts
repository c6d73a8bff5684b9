import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import type { TextShape } from '../../../data/experiment.js';
import { backward } from '../../../src/train/backward.js';
import { assembleGradients } from '../../../src/train/gradient.js';
import { buildTransformer } from '../../../src/train/models/transformer/transformer.js';
import { transformerSchema, type TransformerConfig } from '../../../src/train/models/transformer/config.js';
import { useTestEngine } from '../support/engine.js';
import {
  randomIntegers,
  randomParameters,
  randomTensor,
  relativeDifference,
  testStream,
} from '../support/random.js';
import { referenceLosses } from '../support/reference-transformer.js';

beforeAll(useTestEngine);

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
  standardDeviation: 1,
} as const;

const cases: { name: string; config: TransformerConfig; shape: TextShape }[] = [
  { name: 'GPT-2 shape, whole text', config: small, shape: words },
  { name: 'GPT-2 shape, answers only', config: small, shape: answers },
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
    name: 'a table of variables, with noise',
    config: { ...small, variableEmbedding: variables },
    shape: { ...answers, vocabularySize: 5, variables: 9, outputSize: 4 },
  },
  {
    name: 'a table as wide as the model, one layer',
    config: { ...small, layers: 1, variableEmbedding: { ...variables, width: 8, projection: false } },
    shape: { ...answers, vocabularySize: 5, variables: 9, outputSize: 4 },
  },
];

/** A random batch of `replicas` x `examples`, with one variable a row where the shape has variables. */
function randomBatch(shape: TextShape, replicas: number, examples: number, noiseWidth: number | null) {
  const random = testStream(7);
  const { blockSize, queries } = shape;
  const tokens = randomIntegers(
    [replicas, examples, blockSize],
    shape.vocabularySize,
    random,
  ).arraySync() as number[][][];
  if (shape.variables > 0) {
    for (const row of tokens.flat())
      row[random.integer(2)] = shape.vocabularySize + random.integer(shape.variables);
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

const replicaOf = (tensors: Iterable<[string, tf.Tensor]>, replica: number) =>
  new Map(Array.from(tensors, ([name, tensor]) => [name, tf.squeeze(tf.slice(tensor, [replica], [1]), [0])]));

describe.each(cases)('$name', ({ config, shape }) => {
  const replicas = 2;
  const examples = 6;

  test('assembled gradients of every parameter equal those of tfjs', () => {
    const model = buildTransformer(config, { shape, hidePadding: false });
    const parameters = randomParameters(model, replicas, testStream());
    const batch = randomBatch(shape, replicas, examples, config.variableEmbedding?.width ?? null);
    const exampleWeights = tf.abs(randomTensor([replicas, examples], testStream(3))) as tf.Tensor2D;
    const result = backward(model, parameters, batch, exampleWeights);
    for (const chunks of [1, 2, 3]) {
      const { total } = assembleGradients(result.uses, chunks);
      expect([...total.keys()].sort()).toEqual(model.parameters.map(({ name }) => name).sort());
      for (let replica = 0; replica < replicas; replica++) {
        const own = replicaOf(parameters, replica);
        const fields = Object.fromEntries(replicaOf(Object.entries(batch), replica));
        const variables = [...own].map(([name, value]) =>
          tf.variable(value, true, `${name}-${chunks}-${replica}-${Math.random()}`),
        );
        const names = [...own.keys()];
        const weights = tf.squeeze(tf.slice(exampleWeights, [replica, 0], [1, -1]), [0]);
        const { value, grads } = tf.variableGrads(
          () =>
            tf.sum(
              tf.mul(
                referenceLosses(
                  config,
                  shape.vocabularySize,
                  new Map(names.map((name, i) => [name, variables[i]!])),
                  fields,
                ),
                weights,
              ),
            ),
          variables,
        );
        const losses = tf.slice(result.losses, [replica, 0], [1, -1]);
        expect(relativeDifference(tf.sum(tf.mul(losses, weights)), value)).toBeLessThan(1e-5);
        names.forEach((name, i) => {
          const gradient = tf.slice(total.get(name)!, [replica], [1]);
          expect(gradient.size, name).toBe(own.get(name)!.size);
          expect(relativeDifference(gradient, grads[variables[i]!.name]!), name).toBeLessThan(2e-4);
        });
      }
    }
  });
});
