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

/**
 * Mask of one query over the slots of a cache: those of the prompts that are taken, and those behind them up to a slot.
 *
 * @param lengths `[batch]` int32 rows of each prompt
 * @param prompt int32 slots of the prompts
 * @param last int32 slot, the last one that is seen
 * @returns `[batch, 1, 1, slots]`
 */
export function slotMask(
  lengths: tf.Tensor1D,
  prompt: tf.Scalar,
  last: tf.Scalar,
  slots: number,
): tf.Tensor4D {
  const slot = tf.range(0, slots, 1, 'int32');
  const isTaken = tf.less(slot, tf.reshape(lengths, [-1, 1]));
  const isMade = tf.logicalAnd(tf.greaterEqual(slot, prompt), tf.lessEqual(slot, last));
  const isHidden = tf.logicalNot(tf.logicalOr(isTaken, isMade));
  return tf.mul(tf.cast(tf.reshape(isHidden, [-1, 1, 1, slots]), 'float32'), blocked);
}
