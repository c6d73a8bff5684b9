import * as tf from '@tensorflow/tfjs-core';
import type { LinearUse } from './uses.js';

/**
 * Gradient of a linear use, as the sums over `chunks` equal runs of consecutive examples.
 *
 * @returns `[replica, chunk, in, out]`; its sum over chunks is the minibatch gradient `A^T B`. Two chunks cost the
 * arithmetic of one and let the log tell groups apart cheaply (see `gradient-log`).
 */
export function linearChunks({ left, right }: LinearUse, chunks: number): tf.Tensor4D {
  const [replicas, rows, inputs] = left.shape;
  const outputs = right.shape[2];
  const split = [replicas * chunks, rows / chunks];
  const product = tf.matMul(
    tf.reshape(left, [...split, inputs]),
    tf.reshape(right, [...split, outputs]),
    true,
    false,
  );
  return tf.reshape(product, [replicas, chunks, inputs, outputs]);
}

/**
 * Gradients of single examples, `A_i^T B_i`.
 *
 * @returns `[replica, example, in, out]`
 */
function linearExampleGradients({ left, right, rows }: LinearUse): tf.Tensor4D {
  const [replicas, total, inputs] = left.shape;
  const outputs = right.shape[2];
  const examples = total / rows;
  const product = tf.matMul(
    tf.reshape(left, [replicas * examples, rows, inputs]),
    tf.reshape(right, [replicas * examples, rows, outputs]),
    true,
    false,
  );
  return tf.reshape(product, [replicas, examples, inputs, outputs]);
}

/**
 * Squared norms of the per-example gradients, `|sum_t a_t b_t^T|^2 = sum_{t,s} (a_t . a_s)(b_t . b_s)`
 * (Goodfellow 2015), without forming a gradient.
 *
 * @returns `[replica, example]`
 */
export function linearExampleNorms2(use: LinearUse): tf.Tensor2D {
  return linearExampleProducts(use, use);
}

/**
 * Inner products of the gradients that two uses of one parameter have for the same example.
 *
 * @returns `[replica, example]`
 */
export function linearExampleProducts(first: LinearUse, second: LinearUse): tf.Tensor2D {
  if (first.rows === 1 && second.rows === 1) {
    // Many products of 1 x 1 matrices take several times as long.
    return tf.mul(rowProducts(first.left, second.left), rowProducts(first.right, second.right));
  }
  const weights = first.left.shape[2] * first.right.shape[2];
  const sides = first.left.shape[2] + first.right.shape[2];
  // Products of rows grow with the square of their number: a convolution's many patches make a gradient cheaper.
  if (first.rows * second.rows * sides > (first.rows + second.rows) * weights) {
    const own = linearExampleGradients(first);
    const other = second === first ? own : linearExampleGradients(second);
    return tf.sum(tf.mul(own, other), [2, 3]) as tf.Tensor2D;
  }
  const gramLeft = crossGram(first.left, first.rows, second.left, second.rows);
  const gramRight = crossGram(first.right, first.rows, second.right, second.rows);
  return tf.sum(tf.mul(gramLeft, gramRight), [2, 3]) as tf.Tensor2D;
}

/** `[replica, row]` inner products of the rows of one with those of the other. */
function rowProducts(x: tf.Tensor3D, y: tf.Tensor3D): tf.Tensor2D {
  return tf.sum(tf.mul(x, y), 2);
}

/** `[replica, example, row, row']` inner products of the rows of each example. */
function crossGram(x: tf.Tensor3D, xRows: number, y: tf.Tensor3D, yRows: number): tf.Tensor4D {
  const [replicas, rows, width] = x.shape;
  const examples = rows / xRows;
  return tf.matMul(
    tf.reshape(x, [replicas, examples, xRows, width]),
    tf.reshape(y, [replicas, examples, yRows, width]),
    false,
    true,
  ) as tf.Tensor4D;
}
