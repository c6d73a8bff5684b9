import * as tf from '@tensorflow/tfjs-core';

/**
 * Exact GELU, `x Phi(x)` with `Phi(x) = (1 + erf(x / sqrt 2)) / 2` (Hendrycks & Gimpel 2016), with its gradient
 * `Phi(x) + x phi(x)` written out: tfjs would differentiate the composition in twice as many passes.
 */
export function gelu<T extends tf.Tensor>(x: T): T {
  return tf.customGrad((input, save) => {
    const x = input as tf.Tensor;
    const cumulative = tf.add(tf.mul(tf.erf(tf.mul(x, Math.SQRT1_2)), 0.5), 0.5);
    (save as tf.GradSaveFunc)([x, cumulative]);
    return {
      value: tf.mul(x, cumulative),
      gradFunc: (dy, [x, cumulative]) => {
        const density = tf.exp(tf.mul(tf.square(x!), -0.5));
        const slope = tf.add(cumulative!, tf.mul(tf.mul(x!, density), 1 / Math.sqrt(2 * Math.PI)));
        return tf.mul(dy, slope);
      },
    };
  })(x) as T;
}
