import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  extractPatches,
  outputShape,
  patchesGradient,
  type ConvolutionShape,
} from '../../../src/train/tape/patches.js';
import { useTestEngine } from '../support/engine.js';
import { randomTensor, relativeDifference, testStream } from '../support/random.js';

beforeAll(useTestEngine);

const replicas = 2;
const examples = 3;
const sides = (top: number, bottom: number, left: number, right: number) => ({ top, bottom, left, right });

const shapes: readonly (readonly [string, ConvolutionShape])[] = [
  ['overlapping windows', { height: 5, width: 6, kernel: 3, stride: 1, padding: sides(1, 1, 1, 1) }],
  [
    'a stride, padding on all sides',
    { height: 7, width: 4, kernel: 5, stride: 2, padding: sides(2, 2, 2, 2) },
  ],
  [
    'disjoint windows, rows added above',
    { height: 7, width: 6, kernel: 3, stride: 3, padding: sides(2, 0, 0, 0) },
  ],
  ['pixels between windows', { height: 7, width: 8, kernel: 2, stride: 3, padding: sides(0, 0, 0, 0) }],
  [
    'different padding on every side',
    { height: 4, width: 3, kernel: 2, stride: 1, padding: sides(0, 2, 1, 3) },
  ],
];

describe.each(shapes)('%s', (_, shape) => {
  test.each([1, 3, 5])('patches of %i channels hold the pixels under the window', (channels) => {
    const x = randomTensor(
      [replicas, examples * shape.height * shape.width, channels],
      testStream(),
    ) as tf.Tensor3D;
    const output = outputShape(shape);
    const patches = extractPatches(x, examples, shape);
    const taps = shape.kernel ** 2;
    expect(patches.shape).toEqual([replicas, examples * output.height * output.width, taps * channels]);
    const pixels = x.dataSync();
    const values = patches.dataSync();
    let at = 0;
    for (let example = 0; example < replicas * examples; example++) {
      for (let y = 0; y < output.height; y++) {
        for (let z = 0; z < output.width; z++) {
          for (let tap = 0; tap < taps; tap++) {
            const row = y * shape.stride + Math.floor(tap / shape.kernel) - shape.padding.top;
            const column = z * shape.stride + (tap % shape.kernel) - shape.padding.left;
            const inside = row >= 0 && row < shape.height && column >= 0 && column < shape.width;
            for (let c = 0; c < channels; c++) {
              const source = ((example * shape.height + row) * shape.width + column) * channels + c;
              expect(values[at++]).toBe(inside ? pixels[source] : 0);
            }
          }
        }
      }
    }
  });

  test('the gradient is the adjoint: <patches(x) W, y> = <x, gradient(y, W)>', () => {
    const channels = 4;
    const random = testStream();
    const x = randomTensor(
      [replicas, examples * shape.height * shape.width, channels],
      random,
    ) as tf.Tensor3D;
    const weight = randomTensor([replicas, shape.kernel ** 2 * channels, 3], random) as tf.Tensor3D;
    const { height, width } = outputShape(shape);
    const y = randomTensor([replicas, examples * height * width, 3], random) as tf.Tensor3D;
    const forward = tf.sum(tf.mul(tf.matMul(extractPatches(x, examples, shape), weight), y), [1, 2]);
    const back = tf.sum(tf.mul(x, patchesGradient(y, weight, examples, shape)), [1, 2]);
    expect(relativeDifference(back, forward)).toBeLessThan(1e-5);
  });
});
