import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, test } from 'vitest';
import { engineChecks } from '../../src/probe/engine-checks.js';
import { testEngine, useTestEngine } from '../train/support/engine.js';

beforeAll(useTestEngine);

test.each(engineChecks.map((check, i) => ({ ...check, i })))('$id ($i) holds on this engine', ({ run }) => {
  const before = tf.memory().numTensors;
  const { passed, detail } = run();
  expect(passed, detail).toBe(true);
  expect(tf.memory().numTensors).toBe(before);
});

test.runIf(testEngine === 'wasm')('long sums are taken in float64, over trailing axes and by replica', () => {
  const [replicas, size] = [2, 3000];
  const values = Float32Array.from({ length: replicas * size }, (_, i) => 1e4 + Math.sin(i));
  const exact = [0, 1].map((replica) =>
    values.subarray(replica * size, (replica + 1) * size).reduce((sum, value) => sum + value, 0),
  );
  const x = tf.tensor(values, [replicas, 3, size / 3]);
  const relative = (sums: tf.Tensor): number =>
    Math.max(...Array.from(sums.dataSync(), (value, i) => Math.abs(value / exact[i]! - 1)));
  expect(relative(tf.sum(x, [1, 2]))).toBeLessThan(6e-8);
  expect(tf.sum(x, [1, 2], true).shape).toEqual([2, 1, 1]);
  const total = tf.sum(x).dataSync()[0]!;
  expect(Math.abs(total / (exact[0]! + exact[1]!) - 1)).toBeLessThan(6e-8);
  // Leading axes, and few terms, are left to the engine's own kernel.
  expect(tf.sum(x, 0).shape).toEqual([3, size / 3]);
});
