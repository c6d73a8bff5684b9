import * as tf from '@tensorflow/tfjs-core';
import { attentionByRows } from './attention-by-rows.js';

/**
 * Scaled dot-product attention of several heads, `softmax(q k^T / sqrt(d) + mask) v` (Vaswani et al. 2017), with its
 * gradient written out.
 *
 * @param query `[batch, query, width]`; a head is a run of `width / heads` columns
 * @param key `[batch, row, width]`
 * @param value `[batch, row, width]`
 * @param mask `[1 or batch, 1, query, row]`, 0 where attention is allowed and a large negative number elsewhere; no
 * gradient is taken with respect to it
 * @returns `[batch, query, width]`
 */
export function attention(
  query: tf.Tensor3D,
  key: tf.Tensor3D,
  value: tf.Tensor3D,
  mask: tf.Tensor4D,
  heads: number,
): tf.Tensor3D {
  const [, rows, width] = key.shape;
  return (width / heads) * rows <= tinyHead
    ? attentionByRows(query, key, value, mask, heads)
    : attentionByHeads(query, key, value, mask, heads);
}

/**
 * Rows times dimensions of a head below which a matrix product a head costs more to start than to compute: 150 ns
 * for 5 rows of 8 dimensions, half of it overhead.
 */
const tinyHead = 64;

/**
 * A matrix product for every head of every example. All are plain batched products: TensorFlow's graph optimiser
 * would merge a product followed by a scaling and an addition into one oneDNN kernel that is ten times slower on
 * small heads, so the scale sits on the queries.
 */
function attentionByHeads(
  query: tf.Tensor3D,
  key: tf.Tensor3D,
  value: tf.Tensor3D,
  mask: tf.Tensor4D,
  heads: number,
): tf.Tensor3D {
  const scale = 1 / Math.sqrt(query.shape[2] / heads);
  return tf.customGrad((...inputs) => {
    const [q, k, v] = (inputs.slice(0, 3) as tf.Tensor3D[]).map((x) => toHeads(x, heads));
    const scaled = tf.mul(q!, scale);
    const weights = tf.softmax(tf.add(tf.matMul(scaled, k!, false, true), mask));
    (inputs[3] as tf.GradSaveFunc)([scaled, k!, v!, weights]);
    return {
      value: fromHeads(tf.matMul(weights, v!)),
      gradFunc: (dy, saved) => {
        const [scaled, k, v, weights] = saved as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
        const gradient = toHeads(dy as tf.Tensor3D, heads);
        const weightGradient = tf.matMul(gradient, v, false, true);
        const centre = tf.sum(tf.mul(weightGradient, weights), -1, true);
        const scores = tf.mul(tf.sub(weightGradient, centre), weights);
        return [
          fromHeads(tf.mul(tf.matMul(scores, k), scale)),
          fromHeads(tf.matMul(scores, scaled, true, false)),
          fromHeads(tf.matMul(weights, gradient, true, false)),
        ];
      },
    };
  })(query, key, value) as tf.Tensor3D;
}

/** `[batch, head, row, d]` from `[batch, row, head * d]`. */
function toHeads(x: tf.Tensor3D, heads: number): tf.Tensor4D {
  const [batch, rows, width] = x.shape;
  return tf.transpose(tf.reshape(x, [batch, rows, heads, width / heads]), [0, 2, 1, 3]);
}

function fromHeads(x: tf.Tensor4D): tf.Tensor3D {
  const [batch, heads, rows, size] = x.shape;
  return tf.reshape(tf.transpose(x, [0, 2, 1, 3]), [batch, rows, heads * size]);
}
