import * as tf from '@tensorflow/tfjs-core';
import type { ImageShape } from '../../../data/experiment.js';
import type { ConvnetConfig, ConvolutionConfig } from '../../../src/train/models/convnet/config.js';

/**
 * The ConvNet once more, for one replica, without tape or custom gradients: every tap of a convolution is a product with
 * a matrix of zeros and ones that selects the pixels it reads, which tfjs differentiates on every backend.
 *
 * @returns `[example]` weighted cross-entropy of each example
 */
export function referenceConvnetLosses(
  config: ConvnetConfig,
  shape: ImageShape,
  parameters: ReadonlyMap<string, tf.Tensor>,
  inputs: Readonly<Record<string, tf.Tensor>>,
): tf.Tensor {
  const get = (name: string): tf.Tensor => parameters.get(name)!;
  const examples = inputs['image']!.shape[0];
  let { height, width, channels } = shape;
  let x = tf.reshape(inputs['image']!, [examples, height * width, channels]);
  config.convolutions.forEach((layer, i) => {
    if (i > 0) x = tf.relu(x);
    const weight = tf.reshape(get(`convolutions.${i}.weight`), [layer.kernel ** 2, channels, layer.channels]);
    const output = convolve(x, height, width, layer, weight);
    x = tf.add(output.x, get(`convolutions.${i}.bias`));
    ({ height, width } = output);
    channels = layer.channels;
  });
  const normRelu = (y: tf.Tensor, name: string): tf.Tensor => {
    const { mean, variance } = tf.moments(y, -1, true);
    const scaled = tf.div(tf.sub(y, mean), tf.sqrt(tf.add(variance, config.layerNormEpsilon)));
    return tf.relu(tf.add(tf.mul(scaled, get(`${name}.weight`)), get(`${name}.bias`)));
  };
  x = normRelu(tf.reshape(x, [examples, height * width * channels]), 'trunk_norm');
  config.hidden.forEach((_, i) => {
    x = normRelu(affine(x, get(`hidden.${i}.weight`), get(`hidden.${i}.bias`)), `hidden.${i}.norm`);
  });
  return queryLosses(affine(x, get('output.weight'), get('output.bias')), shape, inputs);
}

/** `x W + b` for rows x. */
export function affine(x: tf.Tensor, weight: tf.Tensor, bias: tf.Tensor): tf.Tensor {
  return tf.add(tf.matMul(x as tf.Tensor2D, weight as tf.Tensor2D), bias);
}

/** Weighted cross-entropy of each example from logits `[example, query * answer]`. */
export function queryLosses(
  logits: tf.Tensor,
  { queries, outputSize }: ImageShape,
  inputs: Readonly<Record<string, tf.Tensor>>,
): tf.Tensor {
  const examples = logits.shape[0];
  const shaped = tf.reshape(logits, [examples, queries, outputSize]);
  const labels = tf.reshape(tf.oneHot(tf.reshape(inputs['labels']!, [-1]), outputSize), [
    examples,
    queries,
    outputSize,
  ]);
  const logProbability = tf.sub(shaped, tf.logSumExp(shaped, 2, true));
  const loss = tf.neg(tf.sum(tf.mul(logProbability, labels), 2));
  return tf.sum(tf.mul(loss, inputs['weights']!), 1);
}

/** A convolution of `x [example, pixel, channel]` with `weight [tap, in, out]`. */
export function convolve(
  x: tf.Tensor,
  height: number,
  width: number,
  { kernel, stride, padding }: Pick<ConvolutionConfig, 'kernel' | 'stride' | 'padding'>,
  weight: tf.Tensor,
): { x: tf.Tensor; height: number; width: number } {
  const { top, bottom, left, right } =
    typeof padding === 'number' ? { top: padding, bottom: padding, left: padding, right: padding } : padding;
  const rows = Math.floor((height + top + bottom - kernel) / stride) + 1;
  const columns = Math.floor((width + left + right - kernel) / stride) + 1;
  const [examples, , channels] = x.shape as [number, number, number];
  const outputs = weight.shape[2]!;
  let sum: tf.Tensor = tf.zeros([examples, rows * columns, outputs]);
  for (let i = 0; i < kernel; i++) {
    for (let j = 0; j < kernel; j++) {
      const selection = tf.tensor2d(
        Array.from({ length: rows * columns }, (_, position) => {
          const y = Math.floor(position / columns) * stride + i - top;
          const z = (position % columns) * stride + j - left;
          return Array.from({ length: height * width }, (_, pixel) =>
            y >= 0 && y < height && z >= 0 && z < width && pixel === y * width + z ? 1 : 0,
          );
        }),
      );
      const tiled = tf.tile(tf.expandDims(selection, 0), [examples, 1, 1]);
      const read = tf.reshape(tf.matMul(tiled, x as tf.Tensor3D), [examples * rows * columns, channels]);
      const tap = tf.reshape(tf.slice(weight, [i * kernel + j, 0, 0], [1, channels, outputs]), [
        channels,
        outputs,
      ]);
      sum = tf.add(sum, tf.reshape(tf.matMul(read as tf.Tensor2D, tap as tf.Tensor2D), sum.shape));
    }
  }
  return { x: sum, height: rows, width: columns };
}
