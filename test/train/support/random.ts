import * as tf from '@tensorflow/tfjs-core';
import { createStream, type RandomStream } from '../../../data/random/streams.js';
import type { Model } from '../../../src/train/models/model.js';

export function testStream(seed = 1): RandomStream {
  return createStream(seed, 'test');
}

/** A float32 tensor of seeded normal numbers. */
export function randomTensor(shape: number[], random: RandomStream, standardDeviation = 1): tf.Tensor {
  const values = new Float32Array(shape.reduce((product, size) => product * size, 1));
  random.fillNormal(values, standardDeviation);
  return tf.tensor(values, shape);
}

/** Seeded parameters of a model for some replicas; all of them random, biases and gains too. */
export function randomParameters(
  model: Model,
  replicas: number,
  random: RandomStream,
): Map<string, tf.Tensor> {
  return new Map(
    model.parameters.map(({ name, shape, role }) => {
      const noise = randomTensor([replicas, ...shape], random, 0.4);
      return [name, role === 'norm' && name.endsWith('weight') ? tf.add(noise, 1) : noise];
    }),
  );
}

/** Seeded integers in [0, below). */
export function randomIntegers(shape: number[], below: number, random: RandomStream): tf.Tensor {
  const size = shape.reduce((product, length) => product * length, 1);
  return tf.tensor(
    Int32Array.from({ length: size }, () => random.integer(below)),
    shape,
    'int32',
  );
}

/** Largest absolute difference, divided by the largest absolute value of `expected`. */
export function relativeDifference(actual: tf.Tensor, expected: tf.Tensor): number {
  const a = actual.dataSync();
  const b = expected.dataSync();
  if (a.length !== b.length) return Infinity;
  let difference = 0;
  let scale = 1e-30;
  for (let i = 0; i < a.length; i++) {
    difference = Math.max(difference, Math.abs(a[i]! - b[i]!));
    scale = Math.max(scale, Math.abs(b[i]!));
  }
  return difference / scale;
}
