import * as tf from '@tensorflow/tfjs-core';
import { gather } from '../engine/ops/gather.js';
import { patchSources, type ConvolutionShape } from './patches.js';

/**
 * Convolution of every channel with a window of its own, tap by tap: one gather, product and sum a tap, so that never
 * more than one shifted copy of the input is held.
 *
 * @param x `[replica, example * pixel, channel]`
 * @param weight `[replica, tap, channel]`
 * @returns `[replica, example * position, channel]`
 */
export function channelwiseConvolution(
  x: tf.Tensor3D,
  weight: tf.Tensor3D,
  examples: number,
  shape: ConvolutionShape,
): tf.Tensor3D {
  const { shifted, taps } = tapReader(x, examples, shape);
  let sum: tf.Tensor | null = null;
  for (let tap = 0; tap < taps; tap++) {
    const term = tf.mul(shifted(tap), tapWeight(weight, tap));
    sum = sum === null ? term : tf.add(sum, term);
  }
  return sum as tf.Tensor3D;
}

/** Gradients of {@link channelwiseConvolution}: at the input, and `[replica, example, tap * channel]` of the weight. */
export function channelwiseGradients(
  x: tf.Tensor3D,
  dy: tf.Tensor3D,
  weight: tf.Tensor3D,
  examples: number,
  shape: ConvolutionShape,
): { input: tf.Tensor3D; weight: tf.Tensor3D } {
  const [replicas, total, channels] = dy.shape;
  const positions = total / examples;
  const { shifted, sources, taps } = tapReader(x, examples, shape);
  const back = withZero(dy, replicas * examples, positions);
  const pixels = shape.height * shape.width;
  const weights: tf.Tensor[] = [];
  let input: tf.Tensor | null = null;
  for (let tap = 0; tap < taps; tap++) {
    const product = tf.reshape(tf.mul(shifted(tap), dy), [replicas, examples, positions, channels]);
    weights.push(tf.sum(product, 2));
    const reader = new Int32Array(pixels).fill(positions);
    sources(tap).forEach((pixel, position) => {
      if (pixel < pixels) reader[pixel] = position;
    });
    const flowing = tf.reshape(gather(back, tf.tensor1d(reader, 'int32'), 1), [
      replicas,
      examples * pixels,
      channels,
    ]);
    const term = tf.mul(flowing, tapWeight(weight, tap));
    input = input === null ? term : tf.add(input, term);
  }
  return { input: input as tf.Tensor3D, weight: tf.concat(weights, 2) as tf.Tensor3D };
}

function tapReader(
  x: tf.Tensor3D,
  examples: number,
  shape: ConvolutionShape,
): {
  /** What tap number `tap` reads at every position, `[replica, example * position, channel]`. */
  shifted: (tap: number) => tf.Tensor3D;
  sources: (tap: number) => Int32Array;
  taps: number;
} {
  const [replicas, , channels] = x.shape;
  const taps = shape.kernel ** 2;
  const all = patchSources(shape);
  const positions = all.length / taps;
  const padded = withZero(x, replicas * examples, shape.height * shape.width);
  const sources = (tap: number): Int32Array =>
    Int32Array.from({ length: positions }, (_, position) => all[position * taps + tap]!);
  return {
    taps,
    sources,
    shifted: (tap) =>
      tf.reshape(gather(padded, tf.tensor1d(sources(tap), 'int32'), 1), [
        replicas,
        examples * positions,
        channels,
      ]),
  };
}

/** `[replica, 1, channel]` weights of one tap. */
function tapWeight(weight: tf.Tensor3D, tap: number): tf.Tensor3D {
  return tf.slice(weight, [0, tap, 0], [weight.shape[0], 1, weight.shape[2]]);
}

/** `[n, rows + 1, channel]`, the last row zero. */
function withZero(x: tf.Tensor3D, n: number, rows: number): tf.Tensor {
  const channels = x.shape[2];
  return tf.concat([tf.reshape(x, [n, rows, channels]), tf.zeros([n, 1, channels])], 1);
}
