import * as tf from '@tensorflow/tfjs-core';

/**
 * Scaled dot-product attention, `softmax(q k^T / sqrt(d) + mask) v` (Vaswani et al. 2017), with its gradient written
 * out. Every product is a plain batched matrix product: TensorFlow's graph optimiser would otherwise merge a product
 * followed by a scaling and an addition into one oneDNN kernel that is ten times slower on small heads, so the
 * scale sits on the queries.
 *
 * @param query `[batch, head, query, d]`
 * @param key `[batch, head, row, d]`
 * @param value `[batch, head, row, d]`
 * @param mask `[1 or batch, 1, query, row]`, 0 where attention is allowed and a large negative number elsewhere;
 * it must outlive the backward pass only as a constant (its gradient is not taken)
 * @returns `[batch, head, query, d]`
 */
export function attention(
  query: tf.Tensor4D,
  key: tf.Tensor4D,
  value: tf.Tensor4D,
  mask: tf.Tensor4D,
): tf.Tensor4D {
  const scale = 1 / Math.sqrt(query.shape[3]);
  return tf.customGrad((...inputs) => {
    const [q, k, v] = inputs as unknown as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D];
    const save = inputs[3] as tf.GradSaveFunc;
    const scaled = tf.mul(q, scale);
    const weights = tf.softmax(tf.add(tf.matMul(scaled, k, false, true), mask));
    save([scaled, k, v, weights]);
    return {
      value: tf.matMul(weights, v),
      gradFunc: (dy, saved) => {
        const [scaled, k, v, weights] = saved as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
        const weightGradient = tf.matMul(dy, v, false, true);
        const centre = tf.sum(tf.mul(weightGradient, weights), -1, true);
        const scores = tf.mul(tf.sub(weightGradient, centre), weights);
        return [
          tf.mul(tf.matMul(scores, k), scale),
          tf.matMul(scores, scaled, true, false),
          tf.matMul(weights, dy, true, false),
        ];
      },
    };
  })(query, key, value) as tf.Tensor4D;
}

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
  return tf.mul(tf.cast(later, 'float32'), blocked) as tf.Tensor4D;
}

/** Hides padding from every query: `[replica * example, 1, 1, rows]` from tokens `[replica, example, row]`. */
export function paddingMask(tokens: tf.Tensor3D, padding: number): tf.Tensor4D {
  const [replicas, examples, rows] = tokens.shape;
  const isPadding = tf.equal(
    tf.reshape(tokens, [replicas * examples, 1, 1, rows]),
    tf.scalar(padding, 'int32'),
  );
  return tf.mul(tf.cast(isPadding, 'float32'), blocked) as tf.Tensor4D;
}
