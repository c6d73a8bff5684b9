import * as tf from '@tensorflow/tfjs-core';

/**
 * A cache with one more row, in a slot that holds zeros.
 *
 * @param cache `[batch, slot, width]`
 * @param row `[batch, 1, width]`
 * @param slot number of the slot, int32
 */
export function atSlot(cache: tf.Tensor3D, row: tf.Tensor3D, slot: tf.Scalar): tf.Tensor3D {
  const slots = cache.shape[1];
  const isSlot = tf.cast(tf.equal(tf.range(0, slots, 1, 'int32'), slot), 'float32');
  return tf.add(cache, tf.mul(row, tf.reshape(isSlot, [1, slots, 1])));
}

/** Rows with `room` empty slots behind them, `[batch, row + room, width]`. */
export function withRoom(rows: tf.Tensor3D, room: number): tf.Tensor3D {
  const [batch, , width] = rows.shape;
  return room === 0 ? rows : (tf.concat([rows, tf.zeros([batch, room, width])], 1) as tf.Tensor3D);
}
