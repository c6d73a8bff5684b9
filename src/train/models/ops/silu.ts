import * as tf from '@tensorflow/tfjs-core';

/** SiLU, `x sigma(x)` (Elfwing et al. 2017), with its gradient `sigma(x) (1 + x (1 - sigma(x)))` written out. */
export function silu<T extends tf.Tensor>(x: T): T {
  return tf.customGrad((input, save) => {
    const x = input as tf.Tensor;
    const gate = tf.sigmoid(x);
    (save as tf.GradSaveFunc)([x, gate]);
    return {
      value: tf.mul(x, gate),
      gradFunc: (dy, [x, gate]) => tf.mul(dy, tf.mul(gate!, tf.add(tf.mul(x!, tf.sub(1, gate!)), 1))),
    };
  })(x) as T;
}
