import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { backward } from '../../../src/train/backward.js';
import { assembleGradients } from '../../../src/train/gradient.js';
import { buildTransformer } from '../../../src/train/models/transformer/transformer.js';
import { useTestEngine } from '../support/engine.js';
import { randomTextBatch, transformerCases } from '../support/transformer-cases.js';
import { randomParameters, randomTensor, relativeDifference, testStream } from '../support/random.js';
import { referenceLosses } from '../support/reference-transformer.js';

beforeAll(useTestEngine);

const replicaOf = (tensors: Iterable<[string, tf.Tensor]>, replica: number) =>
  new Map(Array.from(tensors, ([name, tensor]) => [name, tf.squeeze(tf.slice(tensor, [replica], [1]), [0])]));

describe.each(transformerCases)('$name', ({ config, shape }) => {
  const replicas = 2;
  const examples = 6;

  test('assembled gradients of every parameter equal those of tfjs', () => {
    const model = buildTransformer(config, { shape, hidePadding: false });
    const parameters = randomParameters(model, replicas, testStream());
    const batch = randomTextBatch(shape, replicas, examples, config.variableEmbedding?.width ?? null);
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
