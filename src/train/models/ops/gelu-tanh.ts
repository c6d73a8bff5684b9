import * as tf from '@tensorflow/tfjs-core';

/** sqrt(2 / pi) */
const rate = Math.sqrt(2 / Math.PI);
const cubic = 0.044715;

/**
 * GELU by a hyperbolic tangent, `x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) / 2` (Hendrycks & Gimpel 2016; `gelu_new` of
 * GPT-2), with its gradient written out: with t the tangent, `(1 + t) / 2 + x (1 - t^2) sqrt(2/pi) (1 + 3 * 0.044715 x^2) / 2`.
 */
export function geluTanh<T extends tf.Tensor>(x: T): T {
  return tf.customGrad((input, save) => {
    const x = input as tf.Tensor;
    const square = tf.square(x);
    const tangent = tf.tanh(tf.mul(x, tf.add(tf.mul(square, rate * cubic), rate)));
    (save as tf.GradSaveFunc)([x, tangent]);
    return {
      value: tf.mul(x, tf.add(tf.mul(tangent, 0.5), 0.5)),
      gradFunc: (dy, [x, tangent]) => {
        const inner = tf.add(tf.mul(tf.square(x!), 1.5 * rate * cubic), 0.5 * rate);
        const slope = tf.mul(tf.mul(x!, inner), tf.sub(1, tf.square(tangent!)));
        return tf.mul(dy, tf.add(tf.add(tf.mul(tangent!, 0.5), 0.5), slope));
      },
    };
  })(x) as T;
}
