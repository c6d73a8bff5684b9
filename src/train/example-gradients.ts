import * as tf from '@tensorflow/tfjs-core';
import { fromFactors } from './from-factors.js';
import type { MinibatchGradient } from './gradient-function.js';
import { assembleGradients } from './gradient.js';
import { exampleNorms2 } from './groups/example-norms.js';
import { pack, unpack, type ParameterBlock } from './parameters/layout.js';
import type { ParameterUse } from './tape/uses.js';
import { weightExamples } from './tape/weighted.js';

/**
 * What is asked of the gradients of the single examples of a minibatch, without forming one. An example's gradient is taken
 * as if the minibatch were it alone: `h_i = B w_i g_i`, whose mean is the minibatch's gradient, and which is g_i where all
 * examples weigh 1/B.
 */
export interface ExampleGradients {
  /**
   * `[replica]` `1/(B-1) sum_i |h_i - mean h|^2`, the unbiased trace of the covariance of the examples' gradients (gradient-maths
   * section 5); NaN for a minibatch of one.
   */
  trace(gradient: MinibatchGradient): Float64Array;
  /**
   * `1/B sum_i weight_i h_i`, blocks `[replica, size]`; the caller disposes of them.
   *
   * @param weights `[replica, example]`
   */
  weightedMean(gradient: MinibatchGradient, weights: Float32Array): tf.Tensor2D[];
  dispose(): void;
}

/** @param isCounted whether a parameter counts: gradients have zeros at the others */
export function exampleGradients(
  blocks: readonly ParameterBlock[],
  isCounted: (parameter: string) => boolean,
): ExampleGradients {
  const counted = (uses: readonly ParameterUse[]): ParameterUse[] =>
    uses.filter(({ parameter }) => isCounted(parameter));

  const squares = fromFactors('squares of example gradients', (uses, gradient) => {
    const names = [...new Set(counted(uses).map(({ parameter }) => parameter))];
    const examples = names.map((name) =>
      tf.sum(exampleNorms2(uses.filter(({ parameter }) => parameter === name)), 1),
    );
    const whole = [...unpack(blocks, gradient)].flatMap(([name, tensor]) =>
      isCounted(name) ? [tf.sum(tf.square(tf.reshape(tensor, [tensor.shape[0], -1])), 1)] : [],
    );
    return [tf.addN(examples), tf.addN(whole)];
  });
  const mean = fromFactors('weighted mean of example gradients', (uses, [weights]) => {
    const weighted = counted(uses).map((use) => weightExamples(use, weights as tf.Tensor2D));
    const { total } = assembleGradients(weighted, 1);
    const [replicas] = weights!.shape as [number];
    const all = blocks.flatMap(({ parameters }) =>
      parameters.map(({ name, size }) => [name, total.get(name) ?? tf.zeros([replicas, size])] as const),
    );
    return pack(blocks, new Map(all));
  });

  return {
    trace: (gradient) => {
      const [, examples] = gradient.losses.shape;
      const outputs = squares(gradient, gradient.blocks);
      const [perExample, whole] = outputs.map((output) => output.dataSync());
      tf.dispose(outputs);
      return Float64Array.from(
        perExample!,
        (own, replica) => (examples / (examples - 1)) * Math.max(0, examples * own - whole![replica]!),
      );
    },
    weightedMean: (gradient, weights) => {
      const tensor = tf.tensor2d(weights, gradient.losses.shape);
      const result = mean(gradient, [tensor]) as tf.Tensor2D[];
      tensor.dispose();
      return result;
    },
    dispose: () => {
      squares.dispose();
      mean.dispose();
    },
  };
}
