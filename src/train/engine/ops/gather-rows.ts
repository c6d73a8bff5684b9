import type * as tf from '@tensorflow/tfjs-core';
import { gather } from './gather.js';

/**
 * Rows of a table.
 *
 * @param table `[size, width]`
 * @param ids `[row]` int32, each in `[0, size)`
 * @returns `[row, width]`
 */
export function gatherRows(table: tf.Tensor2D, ids: tf.Tensor1D): tf.Tensor2D {
  return gather(table, ids, 0) as tf.Tensor2D;
}
