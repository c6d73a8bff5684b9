import * as tf from '@tensorflow/tfjs-core';

/**
 * Attention for heads too small for matrix products of their own; arguments and result as in `attention.ts`, with as many
 * heads of keys as of queries.
 *
 * Rows are the outermost axis, so that everything is an element-wise pass over long contiguous runs: the products
 * q_i k_j of all pairs of rows are formed column by column and summed within heads by one product with a 0/1 matrix
 * `[width, head]`; weights are spread over a head's columns by its transpose.
 */
export function attentionByRows(
  query: tf.Tensor3D,
  key: tf.Tensor3D,
  value: tf.Tensor3D,
  mask: tf.Tensor4D,
  heads: number,
  scale: number,
): tf.Tensor3D {
  const [batch, queries, width] = query.shape;
  const rows = key.shape[1];
  const pairs = [queries, rows, batch];

  /** `[query, row, batch, width]` products summed within heads, `[query, row, batch, head]`. */
  const sumHeads = (x: tf.Tensor): tf.Tensor =>
    tf.reshape(tf.matMul(tf.reshape(x, [-1, width]), headMatrix(width, heads)), [...pairs, heads]);
  /** `[query, row, batch, head]` spread over the columns of each head. */
  const spreadHeads = (x: tf.Tensor): tf.Tensor =>
    tf.reshape(tf.matMul(tf.reshape(x, [-1, heads]), headMatrix(width, heads), false, true), [
      ...pairs,
      width,
    ]);
  const asQueries = (x: tf.Tensor3D): tf.Tensor4D => tf.expandDims(tf.transpose(x, [1, 0, 2]), 1);
  const asRows = (x: tf.Tensor3D): tf.Tensor4D => tf.expandDims(tf.transpose(x, [1, 0, 2]), 0);
  const toBatch = (x: tf.Tensor): tf.Tensor => tf.transpose(x, [1, 0, 2]);

  return tf.customGrad((...inputs) => {
    const [query, key, value] = inputs as unknown as [tf.Tensor3D, tf.Tensor3D, tf.Tensor3D];
    const q = asQueries(tf.mul(query, scale));
    const k = asRows(key);
    const v = asRows(value);
    const scores = tf.add(sumHeads(tf.mul(q, k)), tf.transpose(mask, [2, 3, 0, 1]));
    const exponentials = tf.exp(tf.sub(scores, tf.max(scores, 1, true)));
    const weights = tf.div(exponentials, tf.sum(exponentials, 1, true));
    const spread = spreadHeads(weights);
    (inputs[3] as tf.GradSaveFunc)([q, k, v, weights, spread]);
    return {
      value: toBatch(tf.sum(tf.mul(spread, v), 1)),
      gradFunc: (dy, saved) => {
        const [q, k, v, weights, spread] = saved as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
        const gradient = asQueries(dy as tf.Tensor3D);
        const weightGradient = sumHeads(tf.mul(gradient, v));
        const centre = tf.sum(tf.mul(weightGradient, weights), 1, true);
        const scoreGradient = spreadHeads(tf.mul(tf.sub(weightGradient, centre), weights));
        return [
          toBatch(tf.mul(tf.sum(tf.mul(scoreGradient, k), 1), scale)),
          toBatch(tf.sum(tf.mul(scoreGradient, q), 0)),
          toBatch(tf.sum(tf.mul(spread, gradient), 0)),
        ];
      },
    };
  })(query, key, value) as tf.Tensor3D;
}

/** `[width, head]`, 1 where a column belongs to a head. */
function headMatrix(width: number, heads: number): tf.Tensor2D {
  const size = width / heads;
  const values = Float32Array.from({ length: width * heads }, (_, i) =>
    Math.floor(Math.floor(i / heads) / size) === i % heads ? 1 : 0,
  );
  return tf.tensor2d(values, [width, heads]);
}
