import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, test } from 'vitest';
import { gradientFunction } from '../../src/train/gradient-function.js';
import { pack, planBlocks } from '../../src/train/parameters/layout.js';
import { setGradientFunction } from '../../src/train/set-gradients.js';
import { useTestEngine } from './support/engine.js';
import { modelCases } from './support/model-cases.js';
import { randomParameters, relativeDifference, testStream } from './support/random.js';

beforeAll(useTestEngine);

const sets = 5;
const examples = 3;

test.each(modelCases)('$name: gradients of sets are those of one set after the other', ({ build, batch }) => {
  const model = build();
  const blocks = planBlocks(model.parameters, () => '', true);
  const values = pack(blocks, randomParameters(model, 1, testStream()));
  const inputs = batch(sets, examples);
  const together = setGradientFunction(model, blocks);
  const alone = gradientFunction(model, blocks, 'example');
  const { numTensors } = tf.memory();
  const found = together(values, inputs);
  expect(tf.memory().numTensors).toBe(numTensors + 1 + blocks.length);
  for (let set = 0; set < sets; set++) {
    const own = Object.fromEntries(
      Object.entries(inputs).map(([name, tensor]) => [
        name,
        tf.slice(
          tensor,
          tensor.shape.map((_, axis) => (axis === 0 ? set : 0)),
          [1, ...tensor.shape.slice(1)],
        ),
      ]),
    );
    const expected = alone(values, own, 1);
    found.blocks.forEach((block, i) => {
      const gradient = tf.slice(block, [set, 0], [1, block.shape[1]]);
      expect(relativeDifference(gradient, expected.blocks[i]!)).toBeLessThan(1e-5);
    });
    const losses = tf.slice(found.losses, [set, 0], [1, examples]);
    expect(relativeDifference(losses, expected.losses)).toBeLessThan(1e-5);
    expected.dispose();
  }
  found.dispose();
  together.dispose();
  alone.dispose();
});
