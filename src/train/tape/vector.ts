import * as tf from '@tensorflow/tfjs-core';
import type { VectorUse } from './uses.js';

/**
 * Gradient of a vector parameter for any combination of examples.
 *
 * @param indicator `[replica, part, example]` weight of each example in each part
 * @returns `[replica, part, size]`
 */
export function vectorParts({ sums }: VectorUse, indicator: tf.Tensor3D): tf.Tensor3D {
  return tf.matMul(indicator, sums);
}

/** Minibatch gradient `[replica, size]`. */
export function vectorGradient({ sums }: VectorUse): tf.Tensor2D {
  return tf.sum(sums, 1) as tf.Tensor2D;
}

/** Squared norms of per-example gradients, `[replica, example]`. */
export function vectorExampleNorms2({ sums }: VectorUse): tf.Tensor2D {
  return tf.sum(tf.square(sums), 2) as tf.Tensor2D;
}
