import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { exampleGradients } from '../../src/train/example-gradients.js';
import { gradientFunction } from '../../src/train/gradient-function.js';
import type { ModelInputs } from '../../src/train/models/model.js';
import { pack, planBlocks } from '../../src/train/parameters/layout.js';
import { setGradientFunction } from '../../src/train/set-gradients.js';
import { useTestEngine } from './support/engine.js';
import { modelCases } from './support/model-cases.js';
import { randomParameters, relativeDifference, testStream } from './support/random.js';

beforeAll(useTestEngine);

const replicas = 2;
const examples = 5;
const weights = Float32Array.from({ length: replicas * examples }, (_, i) => Math.sin(1 + 3 * i));

const rowsOf = (x: tf.Tensor, first: number, count: number): tf.Tensor =>
  tf.slice(
    x,
    x.shape.map((_, axis) => (axis === 0 ? first : 0)),
    [count, ...x.shape.slice(1)],
  );

describe.each(modelCases)('$name', ({ build, batch }) => {
  test('trace and weighted mean are those of one example after the other, a parameter left out', () => {
    const model = build();
    const blocks = planBlocks(model.parameters, () => '', true);
    const values = pack(blocks, randomParameters(model, replicas, testStream()));
    const inputs = batch(replicas, examples);
    const compute = gradientFunction(model, blocks, 'example');
    const alone = setGradientFunction(model, blocks);
    const gradient = compute(values, inputs, 1);
    const left = model.parameters.at(-1)!.name;
    const isCounted = (name: string): boolean => name !== left;
    const counts = blocks.map(({ size, parameters }) => {
      const mask = new Float32Array(size);
      for (const own of parameters) mask.fill(isCounted(own.name) ? 1 : 0, own.offset, own.offset + own.size);
      return tf.tensor2d(mask, [1, size]);
    });
    const own = exampleGradients(blocks, isCounted);
    const traces = own.trace(gradient);
    const { numTensors } = tf.memory();
    const means = own.weightedMean(gradient, weights);
    expect(tf.memory().numTensors).toBe(numTensors + blocks.length);
    for (let replica = 0; replica < replicas; replica++) {
      const single: ModelInputs = Object.fromEntries(
        Object.entries(inputs).map(([name, x]) => [
          name,
          tf.reshape(rowsOf(x, replica, 1), [examples, 1, ...x.shape.slice(2)]),
        ]),
      );
      const each = alone(
        values.map((value) => rowsOf(value, replica, 1)),
        single,
      );
      let squares = 0;
      each.blocks.forEach((block, i) => {
        const counted = tf.mul(block, counts[i]!);
        const centred = tf.sub(counted, tf.mean(counted, 0, true));
        squares += tf.sum(tf.square(centred)).dataSync()[0]!;
        const ownWeights = weights.subarray(replica * examples, (replica + 1) * examples);
        const expected = tf.div(tf.matMul(tf.tensor2d(ownWeights, [1, examples]), counted), examples);
        if (tf.sum(counts[i]!).dataSync()[0] === 0) expect(tf.max(tf.abs(means[i]!)).dataSync()[0]).toBe(0);
        else expect(relativeDifference(rowsOf(means[i]!, replica, 1), expected)).toBeLessThan(2e-5);
      });
      expect(traces[replica]! / (squares / (examples - 1))).toBeCloseTo(1, 4);
      each.dispose();
    }
    own.dispose();
  });
});
