import * as tf from '@tensorflow/tfjs-core';
import { nativeBackend, typeAttribute } from '../../engine/tensorflow-binding.js';

/** `max(x, 0)`, with its gradient in one pass where the engine has it: tfjs makes two of it. */
export function relu<T extends tf.Tensor>(x: T): T {
  return tf.customGrad((input, save) => {
    const value = tf.relu(input as tf.Tensor);
    (save as tf.GradSaveFunc)([value]);
    return { value, gradFunc: (dy, [value]) => reluGradient(dy, value!) };
  })(x) as T;
}

function reluGradient(dy: tf.Tensor, value: tf.Tensor): tf.Tensor {
  const native = nativeBackend();
  return native === null
    ? tf.mul(dy, tf.step(value))
    : native.executeSingleOutput('ReluGrad', [typeAttribute('T', 'float32')], [dy, value]);
}
