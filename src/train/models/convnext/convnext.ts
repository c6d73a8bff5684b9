import * as tf from '@tensorflow/tfjs-core';
import { UserError } from '../../../../data/errors.js';
import type { ImageShape } from '../../../../data/experiment.js';
import type { FactorTape } from '../../tape/factor-tape.js';
import { outputShape, type ConvolutionShape } from '../../tape/patches.js';
import type { Model, ModelContext, ModelInputs } from '../model.js';
import { gelu } from '../ops/gelu.js';
import type { ConvnextConfig } from './config.js';
import { convnextNames, convnextParameters } from './parameters.js';

/** One stage with its sizes resolved: the convolution that leads into it, and that of its blocks. */
interface StagePlan {
  readonly entry: ConvolutionShape;
  readonly inside: ConvolutionShape;
}

/**
 * ConvNeXt V2 (Woo et al. 2023): stem; stages of blocks of depthwise convolution, LayerNorm, expansion, GELU, global
 * response normalisation, contraction, with a residual connection; mean over the picture, LayerNorm, linear map to the
 * answers of all queries. Without stochastic depth.
 *
 * Reads `image [replica, example, height, width, channel]`.
 */
export function buildConvnext(config: ConvnextConfig, { shape }: ModelContext): Model {
  if (shape.modality !== 'image') throw new UserError('model.kind convnext needs an experiment on images');
  const plan = planStages(config, shape);
  const activations = plan.map(({ inside }, stage) => {
    const { width, blocks } = config.stages[stage]!;
    return inside.height * inside.width * width * blocks * (6 + 6 * config.expansion);
  });
  return {
    parameters: convnextParameters(config, shape),
    noise: [],
    activationsPerExample: activations.reduce((sum, own) => sum + own, 0),
    trainingInputs: ['image'],
    testInputs: ['image'],
    logits: (tape, inputs) => convnextLogits(config, shape, plan, tape, inputs),
  };
}

function planStages(config: ConvnextConfig, image: ImageShape): StagePlan[] {
  let { height, width } = image;
  return config.stages.map((_, stage) => {
    const { kernel, stride } = stage === 0 ? config.stem : { kernel: 2, stride: 2 };
    const entry = { height, width, kernel, stride, padding: { top: 0, bottom: 0, left: 0, right: 0 } };
    const output = outputShape(entry);
    if (output.height < 1 || output.width < 1) {
      throw new UserError(
        `model.stages.${stage}: a picture of ${height} x ${width} is too small for another stage; use fewer stages or a ` +
          'smaller stem',
      );
    }
    ({ height, width } = output);
    const around = (config.kernel - 1) / 2;
    const padding = { top: around, bottom: around, left: around, right: around };
    return { entry, inside: { height, width, kernel: config.kernel, stride: 1, padding } };
  });
}

function convnextLogits(
  config: ConvnextConfig,
  shape: ImageShape,
  plan: readonly StagePlan[],
  tape: FactorTape,
  inputs: ModelInputs,
): tf.Tensor3D {
  const image = inputs['image'] as tf.Tensor;
  const [replicas, examples] = image.shape as [number, number];
  const names = convnextNames;
  const norm = (x: tf.Tensor3D, name: string): tf.Tensor3D =>
    tape.layerNorm(x, `${name}.weight`, `${name}.bias`, config.epsilon);

  let x = tf.reshape(image, [replicas, examples * shape.height * shape.width, shape.channels]) as tf.Tensor3D;
  plan.forEach(({ entry, inside }, stage) => {
    if (stage === 0) {
      x = tape.convolution(x, `${names.stem}.weight`, `${names.stem}.bias`, entry, 'data');
      x = norm(x, names.stemNorm);
    } else {
      const name = names.downsample(stage);
      x = norm(x, names.downsampleNorm(stage));
      x = tape.convolution(x, `${name}.weight`, `${name}.bias`, entry, 'activation');
    }
    for (let i = 0; i < config.stages[stage]!.blocks; i++) {
      x = block(config, tape, x, convnextNames.block(stage, i), inside);
    }
  });
  const [, total, width] = x.shape;
  const pooled = tf.mean(tf.reshape(x, [replicas, examples, total / examples, width]), 2) as tf.Tensor3D;
  const logits = tape.linear(norm(pooled, names.finalNorm), `${names.head}.weight`, `${names.head}.bias`);
  return tf.reshape(logits, [replicas, examples * shape.queries, shape.outputSize]);
}

function block(
  config: ConvnextConfig,
  tape: FactorTape,
  x: tf.Tensor3D,
  names: ReturnType<typeof convnextNames.block>,
  shape: ConvolutionShape,
): tf.Tensor3D {
  let y = tape.channelwise(x, `${names.depthwise}.weight`, `${names.depthwise}.bias`, shape);
  y = tape.layerNorm(y, `${names.norm}.weight`, `${names.norm}.bias`, config.epsilon);
  y = gelu(tape.linear(y, `${names.expand}.weight`, `${names.expand}.bias`));
  y = globalResponse(config, tape, y, names.response);
  y = tape.linear(y, `${names.contract}.weight`, `${names.contract}.bias`);
  return tf.add(x, y);
}

/**
 * Global response normalisation, `gamma * (x * N) + beta + x` with `N_c = |x_c| / (mean over channels of |x_c| + epsilon)`
 * and |x_c| the norm of channel c over the picture (Woo et al. 2023, eq. 1 to 3).
 */
function globalResponse(config: ConvnextConfig, tape: FactorTape, x: tf.Tensor3D, name: string): tf.Tensor3D {
  const [replicas, total, width] = x.shape;
  const shaped = tf.reshape(x, [replicas, tape.examples, total / tape.examples, width]);
  // A channel that is zero everywhere has no slope for its root: the smallest normal number stands in for its square.
  const squares = tf.maximum(tf.sum(tf.square(shaped), 2, true), 1e-30);
  const response = tf.sqrt(squares);
  const scale = tf.div(response, tf.add(tf.mean(response, 3, true), config.epsilon));
  const normalised = tf.reshape(tf.mul(shaped, scale), x.shape) as tf.Tensor3D;
  return tf.add(tape.scale(normalised, `${name}.gamma`, `${name}.beta`), x);
}
