import * as tf from '@tensorflow/tfjs-core';
import type { ParameterUse } from './uses.js';

/**
 * A use in which every example counts as often as a weight says, beside the weight that the loss gave it: what is assembled
 * from it is `sum_i weight_i g_i`.
 *
 * @param weights `[replica, example]`; `[1, example]` for all replicas alike
 */
export function weightExamples(use: ParameterUse, weights: tf.Tensor2D): ParameterUse {
  const perRow = (rows: number): tf.Tensor3D => {
    const [replicas, examples] = weights.shape;
    return tf.reshape(tf.tile(tf.expandDims(weights, 2), [1, 1, rows]), [replicas, examples * rows, 1]);
  };
  switch (use.kind) {
    case 'vector':
      return { ...use, sums: tf.mul(use.sums, perRow(1)) };
    case 'linear':
      // Of a product of two factors the narrower one is weighted.
      return use.left.shape[2] < use.right.shape[2]
        ? { ...use, left: tf.mul(use.left, perRow(use.rows)) }
        : { ...use, right: tf.mul(use.right, perRow(use.rows)) };
    case 'embedding':
      return { ...use, right: tf.mul(use.right, perRow(use.rows)) };
  }
}
