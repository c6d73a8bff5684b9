import * as tf from '@tensorflow/tfjs-core';
import { nativeBackend, typeAttribute } from '../tensorflow-binding.js';

/**
 * Slices along an axis, without tfjs's check of the ids, which reads them back to the host.
 *
 * @param ids `[n]` int32, each in `[0, x.shape[axis])`
 * @returns `x` with `axis` of length n
 */
export function gather(x: tf.Tensor, ids: tf.Tensor1D, axis: number): tf.Tensor {
  const native = nativeBackend();
  if (native === null) return tf.gather(x, ids, axis);
  const attributes = [
    typeAttribute('Tparams', x.dtype === 'int32' ? 'int32' : 'float32'),
    typeAttribute('Tindices', 'int32'),
    typeAttribute('Taxis', 'int32'),
  ];
  return native.executeSingleOutput('GatherV2', attributes, [x, ids, tf.scalar(axis, 'int32')]);
}
