import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, test } from 'vitest';
import { backward } from '../../../src/train/backward.js';
import { assembleGradients } from '../../../src/train/gradient.js';
import { buildTransformer } from '../../../src/train/models/transformer/transformer.js';
import { useTestEngine } from '../support/engine.js';
import { familyCases } from '../support/family-cases.js';
import { replicaOf } from '../support/gradient-comparison.js';
import { convnetCases, randomImageBatch } from '../support/image-cases.js';
import { buildConvnet } from '../../../src/train/models/convnet/convnet.js';
import { randomParameters, randomTensor, relativeDifference, testStream } from '../support/random.js';
import { referenceLosses } from '../support/reference-transformer.js';
import { randomTextBatch, transformerCases } from '../support/transformer-cases.js';

beforeAll(useTestEngine);

const [replicas, examples] = [2, 6];

test.each(transformerCases)(
  '$name: the part of a place is what tfjs gives for copies of the parameters that are used there',
  ({ config, shape }) => {
    const model = buildTransformer(config, { shape, hidePadding: false });
    const batch = randomTextBatch(shape, replicas, examples, config.variableEmbedding?.width ?? null);
    const parameters = randomParameters(model, replicas, testStream());
    const exampleWeights = tf.abs(randomTensor([replicas, examples], testStream(3))) as tf.Tensor2D;
    const weights = randomTensor([replicas, examples, shape.blockSize], testStream(5)) as tf.Tensor3D;
    const { uses } = backward(model, parameters, batch, exampleWeights, weights);
    const { total } = assembleGradients(uses, 1);
    const names = model.parameters.map(({ name }) => name);
    for (let replica = 0; replica < replicas; replica++) {
      const own = replicaOf(parameters, replica);
      const fields = Object.fromEntries(replicaOf(Object.entries(batch), replica));
      const copies = names.map((name) => tf.variable(own.get(name)!));
      const ofExamples = tf.squeeze(tf.slice(exampleWeights, [replica, 0], [1, -1]), [0]);
      const part = {
        parameters: new Map(names.map((name, i) => [name, copies[i]!])),
        weights: tf.squeeze(tf.slice(weights, [replica, 0, 0], [1, -1, -1]), [0]),
      };
      const { grads } = tf.variableGrads(
        () => tf.sum(tf.mul(referenceLosses(config, shape.vocabularySize, own, fields, part), ofExamples)),
        copies,
      );
      names.forEach((name, i) => {
        const gradient = tf.slice(total.get(name)!, [replica], [1]);
        expect(relativeDifference(gradient, grads[copies[i]!.name]!), name).toBeLessThan(2e-4);
      });
      for (const copy of copies) copy.dispose();
    }
  },
);

test.each(familyCases)(
  '$name: parts whose weights add up to 1 add up to the gradient',
  ({ build, batch }) => {
    const model = build();
    const fields = batch(replicas, examples);
    const parameters = randomParameters(model, replicas, testStream());
    const exampleWeights = tf.ones([replicas, examples]) as tf.Tensor2D;
    // More places than there are in the texts of a case.
    const weights = randomTensor([replicas, examples, 32], testStream(5)) as tf.Tensor3D;
    const gradients = [null, weights, tf.sub<tf.Tensor3D>(1, weights)].map(
      (own) => assembleGradients(backward(model, parameters, fields, exampleWeights, own).uses, 1).total,
    );
    for (const { name } of model.parameters) {
      const [whole, first, second] = gradients.map((own) => own.get(name)!);
      expect(relativeDifference(tf.add(first!, second!), whole!), name).toBeLessThan(1e-4);
    }
  },
);

test('a model without places of a text is refused', () => {
  const { config, shape } = convnetCases[0]!;
  const model = buildConvnet(config, { shape, hidePadding: false });
  const weights = tf.ones([replicas, examples, 4]) as tf.Tensor3D;
  const run = () =>
    backward(
      model,
      randomParameters(model, replicas, testStream()),
      randomImageBatch(shape, replicas, examples),
      tf.ones([replicas, examples]),
      weights,
    );
  expect(run).toThrow('does not tell at which places');
});
