import * as tf from '@tensorflow/tfjs-core';

/** Added to the score of a pair of rows that may not attend; its exponential is 0 in float32. */
const blocked = -1e9;

/** Causal mask for all positions of a row, `[1, 1, rows, rows]`. */
export function causalMask(rows: number): tf.Tensor4D {
  const values = Float32Array.from({ length: rows * rows }, (_, i) =>
    i % rows <= Math.floor(i / rows) ? 0 : blocked,
  );
  return tf.tensor4d(values, [1, 1, rows, rows]);
}

/**
 * Causal mask for chosen positions.
 *
 * @param positions `[replica, example, query]` int32
 * @returns `[replica * example, 1, query, rows]`
 */
export function causalMaskAt(positions: tf.Tensor3D, rows: number): tf.Tensor4D {
  const [replicas, examples, queries] = positions.shape;
  const limit = tf.reshape(positions, [replicas * examples, 1, queries, 1]);
  const later = tf.greater(tf.reshape(tf.range(0, rows, 1, 'int32'), [1, 1, 1, rows]), limit);
  return tf.mul(tf.cast(later, 'float32'), blocked);
}

/** Hides padding from every query: `[replica * example, 1, 1, rows]` from tokens `[replica, example, row]`. */
export function paddingMask(tokens: tf.Tensor3D, padding: number): tf.Tensor4D {
  const [replicas, examples, rows] = tokens.shape;
  const isPadding = tf.equal(
    tf.reshape(tokens, [replicas * examples, 1, 1, rows]),
    tf.scalar(padding, 'int32'),
  );
  return tf.mul(tf.cast(isPadding, 'float32'), blocked);
}
