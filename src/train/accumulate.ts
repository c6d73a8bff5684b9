import * as tf from '@tensorflow/tfjs-core';
import type { GradientFunction, MinibatchGradient } from './gradient-function.js';
import type { ModelInputs } from './models/model.js';

/**
 * The gradient of a minibatch whose activations do not fit into memory, from micro-batches of at most `microBatch`
 * examples: `g = sum_m s_m g_m`, with the share `s_m` of micro-batch m in the minibatch's weights, `n_m / B` of examples or
 * `T_m / T` of targets. Equal to the undivided gradient within rounding, a last shorter micro-batch included. Has no
 * factors: what is computed from them cannot be had of it.
 *
 * @param compute gives the gradient of a micro-batch, see {@link GradientFunction}
 * @param values blocks of parameters, `[replica, size]`
 * @param inputs fields and noise of the minibatch, `[replica, example, ...]`
 * @param normalisation that of `compute`
 */
export function accumulatedGradient(
  compute: GradientFunction,
  values: readonly tf.Tensor[],
  inputs: ModelInputs,
  microBatch: number,
  normalisation: 'example' | 'token',
): MinibatchGradient {
  const weights = inputs['weights'] as tf.Tensor3D;
  const [replicas, examples] = weights.shape;
  const total = tf.tidy(() => targetsOf(weights));
  const losses: tf.Tensor[] = [];
  const exampleWeights: tf.Tensor[] = [];
  let blocks: tf.Tensor2D[] = [];
  for (let first = 0; first < examples; first += microBatch) {
    const count = Math.min(microBatch, examples - first);
    const own: ModelInputs = Object.fromEntries(
      Object.entries(inputs).map(([name, tensor]) => {
        const ends = tensor.shape.slice(2);
        const start = [0, first, ...ends.map(() => 0)];
        return [name, tf.slice(tensor, start, [replicas, count, ...ends])];
      }),
    );
    const gradient = compute(values, own, 1);
    const sums = tf.tidy(() => {
      const share =
        normalisation === 'example'
          ? tf.scalar(count / examples)
          : tf.div(targetsOf(own['weights'] as tf.Tensor3D), total);
      losses.push(tf.keep(tf.clone(gradient.losses)));
      exampleWeights.push(tf.keep(tf.mul(gradient.exampleWeights, share)));
      return gradient.blocks.map((block, i) => {
        const scaled = tf.mul(block, share);
        return (first === 0 ? scaled : tf.add(blocks[i]!, scaled)) as tf.Tensor2D;
      });
    });
    gradient.dispose();
    tf.dispose([own, blocks]);
    blocks = sums;
  }
  const joined = tf.tidy(() => ({
    losses: tf.concat(losses, 1) as tf.Tensor2D,
    exampleWeights: tf.concat(exampleWeights, 1) as tf.Tensor2D,
    norm2: tf.addN(blocks.map((block) => tf.sum<tf.Tensor1D>(tf.square(block), 1))),
  }));
  tf.dispose([total, losses, exampleWeights]);
  const dispose = (): void => tf.dispose([joined, blocks]);
  return { ...joined, blocks, chunks: 1, lanes: [], groups: null, grams: null, dispose };
}

/** `[replica, 1]` targets of a minibatch. */
function targetsOf(weights: tf.Tensor3D): tf.Tensor {
  return tf.reshape(tf.sum(weights, [1, 2]), [weights.shape[0], 1]);
}
