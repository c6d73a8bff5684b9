import * as tf from '@tensorflow/tfjs-core';

/**
 * Sums rows that carry the same id: `out[id] = sum of values[row] over rows with ids[row] = id`.
 *
 * @param values `[row, width]`
 * @param ids `[row]` int32; rows whose id is outside `[0, count)` are dropped
 * @returns `[count, width]`
 */
export function segmentSum(values: tf.Tensor2D, ids: tf.Tensor1D, count: number): tf.Tensor2D {
  return tf.unsortedSegmentSum(values, ids, count);
}
