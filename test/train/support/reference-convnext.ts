import * as tf from '@tensorflow/tfjs-core';
import type { ImageShape } from '../../../data/experiment.js';
import type { ConvnextConfig } from '../../../src/train/models/convnext/config.js';
import { affine, convolve, queryLosses } from './reference-convnet.js';

/**
 * ConvNeXt once more, for one replica, as plain tfjs operations; a depthwise convolution is an ordinary one with a
 * diagonal weight.
 */
export function referenceConvnextLosses(
  config: ConvnextConfig,
  shape: ImageShape,
  parameters: ReadonlyMap<string, tf.Tensor>,
  inputs: Readonly<Record<string, tf.Tensor>>,
): tf.Tensor {
  const get = (name: string): tf.Tensor => parameters.get(name)!;
  const [examples] = inputs['image']!.shape as [number];
  const norm = (x: tf.Tensor, name: string): tf.Tensor => {
    const { mean, variance } = tf.moments(x, -1, true);
    const scaled = tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, config.epsilon)));
    return tf.add(tf.mul(scaled, get(`${name}.weight`)), get(`${name}.bias`));
  };
  const pointwise = (x: tf.Tensor, name: string): tf.Tensor => {
    const weight = get(`${name}.weight`);
    const flat = tf.reshape(x, [-1, weight.shape[0]]);
    return tf.reshape(affine(flat, weight, get(`${name}.bias`)), [...x.shape.slice(0, -1), weight.shape[1]!]);
  };
  let { height, width, channels } = shape;
  let x = tf.reshape(inputs['image']!, [examples, height * width, channels]);
  config.stages.forEach((stage, s) => {
    if (s > 0) x = norm(x, `downsample_layers.${s}.0`);
    const name = s === 0 ? 'downsample_layers.0.0' : `downsample_layers.${s}.1`;
    const { kernel, stride } = s === 0 ? config.stem : { kernel: 2, stride: 2 };
    const weight = tf.reshape(get(`${name}.weight`), [kernel ** 2, channels, stage.width]);
    const entered = convolve(x, height, width, { kernel, stride, padding: 0 }, weight);
    ({ height, width } = entered);
    channels = stage.width;
    x = tf.add(entered.x, get(`${name}.bias`));
    if (s === 0) x = norm(x, 'downsample_layers.0.1');
    for (let b = 0; b < stage.blocks; b++) {
      const own = `stages.${s}.${b}`;
      const taps = get(`${own}.dwconv.weight`);
      const diagonal = tf.mul(tf.expandDims(taps, 2), tf.expandDims(tf.eye(channels), 0));
      const padding = (config.kernel - 1) / 2;
      let y: tf.Tensor = tf.add(
        convolve(x, height, width, { kernel: config.kernel, stride: 1, padding }, diagonal).x,
        get(`${own}.dwconv.bias`),
      );
      y = pointwise(norm(y, `${own}.norm`), `${own}.pwconv1`);
      y = tf.mul(y, tf.mul(0.5, tf.add(1, tf.erf(tf.div(y, Math.SQRT2)))));
      const response = tf.sqrt(tf.sum(tf.square(y), 1, true));
      const scale = tf.div(response, tf.add(tf.mean(response, 2, true), config.epsilon));
      const normalised = tf.mul(y, scale);
      y = tf.add(y, tf.add(tf.mul(get(`${own}.grn.gamma`), normalised), get(`${own}.grn.beta`)));
      x = tf.add(x, pointwise(y, `${own}.pwconv2`));
    }
  });
  const pooled = norm(tf.mean(x, 1), 'norm');
  return queryLosses(affine(pooled, get('head.weight'), get('head.bias')), shape, inputs);
}
