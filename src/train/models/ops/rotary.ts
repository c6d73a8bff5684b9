import * as tf from '@tensorflow/tfjs-core';

/**
 * Rotary position embedding in GPT-NeoX's half-split form (Su et al. 2021; Black et al. 2022): in the first
 * `rotated` of a head's dimensions, dimension i is paired with i + rotated/2 and the pair turned by
 * `position * base^(-2i / rotated)`.
 *
 * @param x `[batch, row, head, d]`, row t at position t
 */
export function rotary(x: tf.Tensor4D, rotated: number, base: number): tf.Tensor4D {
  const rows = x.shape[1];
  return tf.customGrad((input) => ({
    value: turn(input as tf.Tensor4D, rotated, angles(rows, rotated, base), 1),
    // The inverse of a rotation is its transpose.
    gradFunc: (dy) => turn(dy as tf.Tensor4D, rotated, angles(rows, rotated, base), -1),
  }))(x) as tf.Tensor4D;
}

function turn(x: tf.Tensor4D, rotated: number, { cosine, sine }: Angles, direction: 1 | -1): tf.Tensor4D {
  const [batch, rows, heads, size] = x.shape;
  const half = rotated / 2;
  const first = tf.slice(x, [0, 0, 0, 0], [batch, rows, heads, half]);
  const second = tf.slice(x, [0, 0, 0, half], [batch, rows, heads, half]);
  const sines = direction === 1 ? sine : tf.neg(sine);
  const parts = [
    tf.sub(tf.mul(first, cosine), tf.mul(second, sines)),
    tf.add(tf.mul(second, cosine), tf.mul(first, sines)),
  ];
  if (rotated < size) parts.push(tf.slice(x, [0, 0, 0, rotated], [batch, rows, heads, size - rotated]));
  return tf.concat(parts, 3) as tf.Tensor4D;
}

interface Angles {
  /** `[1, row, 1, rotated / 2]` */
  readonly cosine: tf.Tensor4D;
  readonly sine: tf.Tensor4D;
}

function angles(rows: number, rotated: number, base: number): Angles {
  const half = rotated / 2;
  const values = Float64Array.from(
    { length: rows * half },
    (_, i) => Math.floor(i / half) * base ** (-(2 * (i % half)) / rotated),
  );
  const shape: [number, number, number, number] = [1, rows, 1, half];
  return {
    cosine: tf.tensor4d(Float32Array.from(values, Math.cos), shape),
    sine: tf.tensor4d(Float32Array.from(values, Math.sin), shape),
  };
}
