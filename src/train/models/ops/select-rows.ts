import * as tf from '@tensorflow/tfjs-core';
import { gatherRows } from '../../engine/ops/gather-rows.js';
import { segmentSum } from '../../engine/ops/segment-sum.js';

/**
 * Picks rows of every example.
 *
 * @param x `[replica, example * row, width]`
 * @param positions `[replica, example, query]` int32, row numbers inside the example
 * @returns `[replica, example * query, width]`
 */
export function selectRows(x: tf.Tensor3D, positions: tf.Tensor3D): tf.Tensor3D {
  const [replicas, total, width] = x.shape;
  const [, examples, queries] = positions.shape;
  const rows = total / examples;
  const flatPositions = (positions: tf.Tensor): tf.Tensor1D => {
    const base = tf.reshape(tf.range(0, replicas * total, rows, 'int32'), [replicas, examples, 1]);
    return tf.reshape(tf.add(positions, base), [-1]) as tf.Tensor1D;
  };
  return tf.customGrad((input, save) => {
    (save as tf.GradSaveFunc)([positions]);
    const flat = tf.reshape(input as tf.Tensor, [replicas * total, width]) as tf.Tensor2D;
    return {
      value: tf.reshape(gatherRows(flat, flatPositions(positions)), [replicas, examples * queries, width]),
      gradFunc: (dy, [positions]) => {
        const gradient = tf.reshape(dy, [replicas * examples * queries, width]) as tf.Tensor2D;
        const sums = segmentSum(gradient, flatPositions(positions!), replicas * total);
        return tf.reshape(sums, [replicas, total, width]);
      },
    };
  })(x) as tf.Tensor3D;
}
