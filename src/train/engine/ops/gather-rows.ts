import * as tf from '@tensorflow/tfjs-core';
import { nativeBackend, typeAttribute } from '../tensorflow-binding.js';

/**
 * Rows of a table, without tfjs's check of the ids, which reads them back to the host.
 *
 * @param table `[size, width]`
 * @param ids `[row]` int32, each in `[0, size)`
 * @returns `[row, width]`
 */
export function gatherRows(table: tf.Tensor2D, ids: tf.Tensor1D): tf.Tensor2D {
  const native = nativeBackend();
  if (native === null) return tf.gather(table, ids);
  const attributes = [
    typeAttribute('Tparams', 'float32'),
    typeAttribute('Tindices', 'int32'),
    typeAttribute('Taxis', 'int32'),
  ];
  return native.executeSingleOutput('GatherV2', attributes, [
    table,
    ids,
    tf.scalar(0, 'int32'),
  ]) as tf.Tensor2D;
}
