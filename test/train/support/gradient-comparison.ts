import * as tf from '@tensorflow/tfjs-core';
import { backward } from '../../../src/train/backward.js';
import { assembleGradients } from '../../../src/train/gradient.js';
import type { Model } from '../../../src/train/models/model.js';
import { randomParameters, randomTensor, relativeDifference, testStream } from './random.js';

type Tensors = ReadonlyMap<string, tf.Tensor>;

/** One replica of tensors with a leading replica axis. */
export function replicaOf(tensors: Iterable<[string, tf.Tensor]>, replica: number): Map<string, tf.Tensor> {
  return new Map(
    Array.from(tensors, ([name, tensor]) => [name, tf.squeeze(tf.slice(tensor, [replica], [1]), [0])]),
  );
}

/** Largest relative differences between a model and a reference. */
export interface GradientDifferences {
  readonly loss: number;
  /** Of every parameter of the model, over replicas and numbers of chunks; Infinity where sizes differ. */
  readonly gradients: ReadonlyMap<string, number>;
}

/**
 * Compares losses and the assembled gradient of every parameter, for random parameters and example weights, with what
 * tfjs's own differentiation makes of a reference that shares no code with the model.
 *
 * @param batch fields `[replica, example, ...]`; the number of examples must be a multiple of 6
 * @param reference `[example]` losses of one replica
 */
export function gradientDifferences(
  model: Model,
  batch: Readonly<Record<string, tf.Tensor>>,
  reference: (parameters: Tensors, fields: Readonly<Record<string, tf.Tensor>>) => tf.Tensor,
): GradientDifferences {
  const [replicas, examples] = batch['labels']!.shape as [number, number];
  const parameters = randomParameters(model, replicas, testStream());
  const exampleWeights = tf.abs(randomTensor([replicas, examples], testStream(3))) as tf.Tensor2D;
  const result = backward(model, parameters, batch, exampleWeights);
  const totals = [1, 2, 3].map((chunks) => assembleGradients(result.uses, chunks).total);
  const names = model.parameters.map(({ name }) => name);
  const gradients = new Map(names.map((name) => [name, 0]));
  let loss = 0;
  for (let replica = 0; replica < replicas; replica++) {
    const own = replicaOf(parameters, replica);
    const fields = Object.fromEntries(replicaOf(Object.entries(batch), replica));
    const variables = names.map((name) => tf.variable(own.get(name)!));
    const weights = tf.squeeze(tf.slice(exampleWeights, [replica, 0], [1, -1]), [0]);
    const { value, grads } = tf.variableGrads(
      () =>
        tf.sum(tf.mul(reference(new Map(names.map((name, i) => [name, variables[i]!])), fields), weights)),
      variables,
    );
    const losses = tf.slice(result.losses, [replica, 0], [1, -1]);
    loss = Math.max(loss, relativeDifference(tf.sum(tf.mul(losses, weights)), value));
    names.forEach((name, i) => {
      for (const total of totals) {
        const gradient = tf.slice(total.get(name)!, [replica], [1]);
        const difference = relativeDifference(gradient, grads[variables[i]!.name]!);
        gradients.set(name, Math.max(gradients.get(name)!, difference));
      }
    });
    for (const variable of variables) variable.dispose();
  }
  return { loss, gradients };
}
