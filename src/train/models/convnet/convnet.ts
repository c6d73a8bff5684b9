import * as tf from '@tensorflow/tfjs-core';
import { UserError } from '../../../../data/errors.js';
import type { ImageShape } from '../../../../data/experiment.js';
import type { FactorTape } from '../../tape/factor-tape.js';
import { constant, uniform } from '../initialise.js';
import type { Model, ModelContext, ModelInputs, ParameterRole, ParameterSpec } from '../model.js';
import { relu } from '../ops/relu.js';
import type { ConvnetConfig } from './config.js';
import { planTrunk, type TrunkLayer } from './trunk.js';

/** Names of the layers: convolutions, the norm after them, hidden layers with a norm each, output. */
export const convnetNames = {
  convolution: (i: number) => `convolutions.${i}`,
  trunkNorm: 'trunk_norm',
  hidden: (i: number) => `hidden.${i}`,
  hiddenNorm: (i: number) => `hidden.${i}.norm`,
  output: 'output',
} as const;

/**
 * A convolutional network for questions about images: convolutions with ReLU between them; flatten, LayerNorm, ReLU;
 * hidden layers of linear map, LayerNorm, ReLU; a linear map to the answers of all queries.
 *
 * Reads `image [replica, example, height, width, channel]`.
 */
export function buildConvnet(config: ConvnetConfig, { shape }: ModelContext): Model {
  if (shape.modality !== 'image') throw new UserError('model.kind convnet needs an experiment on images');
  const trunk = planTrunk(config.convolutions, shape);
  const { positions, outputs } = trunk.at(-1)!;
  const flat = positions * outputs;
  return {
    parameters: convnetParameters(config, shape, trunk),
    noise: [],
    activationsPerExample:
      trunk.reduce(
        (sum, layer) =>
          sum + layer.positions * (layer.shape.kernel ** 2 * layer.channels + 3 * layer.outputs),
        0,
      ) +
      4 * (flat + config.hidden.reduce((sum, width) => sum + width, 0)) +
      2 * shape.queries * shape.outputSize,
    trainingInputs: ['image'],
    testInputs: ['image'],
    logits: (tape, inputs) => convnetLogits(config, shape, trunk, tape, inputs),
  };
}

/** Widths of the linear maps after the trunk, the output's last. */
function widthsOf({ hidden }: ConvnetConfig, shape: ImageShape, trunk: readonly TrunkLayer[]): number[] {
  const { positions, outputs } = trunk.at(-1)!;
  return [positions * outputs, ...hidden, shape.queries * shape.outputSize];
}

/**
 * Parameters in the order of the forward pass; weights are `[in, out]`, those of convolutions `[tap * channel, out]`.
 * Initialised as PyTorch does by default: weight and bias of a map uniform in +-1 / sqrt(fan-in).
 */
function convnetParameters(
  config: ConvnetConfig,
  shape: ImageShape,
  trunk: readonly TrunkLayer[],
): ParameterSpec[] {
  const map = (name: string, role: ParameterRole, fanIn: number, outputs: number): ParameterSpec[] => {
    const bound = 1 / Math.sqrt(fanIn);
    return [
      { name: `${name}.weight`, shape: [fanIn, outputs], role, initialise: uniform(fanIn * outputs, bound) },
      { name: `${name}.bias`, shape: [outputs], role, initialise: uniform(outputs, bound) },
    ];
  };
  const norm = (name: string, width: number): ParameterSpec[] => [
    { name: `${name}.weight`, shape: [width], role: 'norm', initialise: constant(width, 1) },
    { name: `${name}.bias`, shape: [width], role: 'norm', initialise: constant(width, 0) },
  ];
  const names = convnetNames;
  const widths = widthsOf(config, shape, trunk);
  return [
    ...trunk.flatMap(({ shape: { kernel }, channels, outputs }, i) =>
      map(names.convolution(i), 'convolution', kernel ** 2 * channels, outputs),
    ),
    ...norm(names.trunkNorm, widths[0]!),
    ...config.hidden.flatMap((width, i) => [
      ...map(names.hidden(i), 'mlp', widths[i]!, width),
      ...norm(names.hiddenNorm(i), width),
    ]),
    ...map(names.output, 'unembedding', widths.at(-2)!, widths.at(-1)!),
  ];
}

function convnetLogits(
  config: ConvnetConfig,
  shape: ImageShape,
  trunk: readonly TrunkLayer[],
  tape: FactorTape,
  inputs: ModelInputs,
): tf.Tensor3D {
  const image = inputs['image'] as tf.Tensor;
  const [replicas, examples] = image.shape as [number, number];
  const names = convnetNames;
  const normRelu = (x: tf.Tensor3D, name: string): tf.Tensor3D =>
    relu(tape.layerNorm(x, `${name}.weight`, `${name}.bias`, config.layerNormEpsilon));

  let x = tf.reshape(image, [replicas, examples * shape.height * shape.width, shape.channels]) as tf.Tensor3D;
  trunk.forEach((layer, i) => {
    const name = names.convolution(i);
    const source = i === 0 ? 'data' : 'activation';
    x = tape.convolution(i === 0 ? x : relu(x), `${name}.weight`, `${name}.bias`, layer.shape, source);
  });
  const [flat] = widthsOf(config, shape, trunk);
  x = normRelu(tf.reshape(x, [replicas, examples, flat!]), names.trunkNorm);
  config.hidden.forEach((_, i) => {
    x = normRelu(tape.linear(x, `${names.hidden(i)}.weight`, `${names.hidden(i)}.bias`), names.hiddenNorm(i));
  });
  const logits = tape.linear(x, `${names.output}.weight`, `${names.output}.bias`);
  return tf.reshape(logits, [replicas, examples * shape.queries, shape.outputSize]);
}
