import * as tf from '@tensorflow/tfjs-core';
import { attentionByRows } from './attention-by-rows.js';

/** What attention is made of beside its three inputs. */
export interface AttentionOptions {
  /** Heads of the queries. */
  readonly heads: number;
  /** Heads of keys and values, a divisor of `heads`: each serves `heads / keyValueHeads` consecutive heads of the queries. */
  readonly keyValueHeads: number;
  /** Factor of the scores; `1 / sqrt(d)` for a head of d dimensions in most models, 1 in T5. */
  readonly scale: number;
  /** Added to the scores, `[batch, head, query, row]`, with a gradient; null: nothing. */
  readonly bias: tf.Tensor4D | null;
}

/**
 * Dot-product attention of several heads, `softmax(scale q k^T + bias + mask) v` (Vaswani et al. 2017), with its gradient
 * written out; with fewer heads of keys and values, grouped-query attention (Ainslie et al. 2023).
 *
 * @param query `[batch, query, width]`; a head is a run of `width / heads` columns
 * @param key `[batch, row, keyValueHeads * width / heads]`
 * @param value the same shape
 * @param mask `[1 or batch, 1, query, row]`, 0 where attention is allowed and a large negative number elsewhere; no
 * gradient is taken with respect to it
 * @returns `[batch, query, width]`
 */
export function attention(
  query: tf.Tensor3D,
  key: tf.Tensor3D,
  value: tf.Tensor3D,
  mask: tf.Tensor4D,
  options: AttentionOptions,
): tf.Tensor3D {
  const { heads, keyValueHeads, scale, bias } = options;
  const size = query.shape[2] / heads;
  if (bias !== null || size * key.shape[1] > tinyHead)
    return attentionByHeads(query, key, value, mask, options);
  const groups = heads / keyValueHeads;
  const spread = (x: tf.Tensor3D): tf.Tensor3D => (groups === 1 ? x : repeatHeads(x, keyValueHeads, groups));
  return attentionByRows(query, spread(key), spread(value), mask, heads, scale);
}

/**
 * Rows times dimensions of a head below which a matrix product a head costs more to start than to compute: 150 ns
 * for 5 rows of 8 dimensions, half of it overhead.
 */
const tinyHead = 64;

/**
 * A matrix product for every head of keys of every example; the heads of queries that share it are rows of one matrix. All
 * are plain batched products: TensorFlow's graph optimiser would merge a product followed by a scaling and an addition into
 * one oneDNN kernel that is ten times slower on small heads, so the scale sits on the queries.
 */
function attentionByHeads(
  query: tf.Tensor3D,
  key: tf.Tensor3D,
  value: tf.Tensor3D,
  mask: tf.Tensor4D,
  { heads, keyValueHeads, scale, bias }: AttentionOptions,
): tf.Tensor3D {
  const groups = heads / keyValueHeads;
  const [batch, queries, width] = query.shape;
  const toHeads = (x: tf.Tensor): tf.Tensor => splitHeads(x as tf.Tensor3D, keyValueHeads);
  const fromHeads = (x: tf.Tensor): tf.Tensor => joinHeads(x as tf.Tensor4D);
  /** `[batch, key-value head, group * query, ...]` of the queries as `[batch, head, query, ...]`, or back. */
  const byHead = (x: tf.Tensor): tf.Tensor =>
    groups === 1 ? x : tf.reshape(x, [batch, heads, queries, x.shape[3]!]);
  const byKey = (x: tf.Tensor): tf.Tensor =>
    groups === 1 ? x : tf.reshape(x, [batch, keyValueHeads, groups * queries, x.shape[3]!]);
  const queriesToHeads = (x: tf.Tensor3D): tf.Tensor => byKey(splitHeads(x, heads));
  const queriesFromHeads = (x: tf.Tensor): tf.Tensor => joinHeads(byHead(x) as tf.Tensor4D);

  const compute = tf.customGrad((...inputs) => {
    const save = inputs.at(-1) as tf.GradSaveFunc;
    const scaled = queriesToHeads(inputs[0] as tf.Tensor3D);
    const q = scale === 1 ? scaled : tf.mul(scaled, scale);
    const k = toHeads(inputs[1] as tf.Tensor);
    const v = toHeads(inputs[2] as tf.Tensor);
    const scores = byHead(tf.matMul(q, k, false, true));
    const biased = bias === null ? scores : tf.add(scores, inputs[3] as tf.Tensor);
    const weights = byKey(tf.softmax(tf.add(biased, mask)));
    save([q, k, v, weights]);
    return {
      value: queriesFromHeads(tf.matMul(weights, v)),
      gradFunc: (dy, saved) => {
        const [q, k, v, weights] = saved as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
        const gradient = queriesToHeads(dy as tf.Tensor3D);
        const weightGradient = tf.matMul(gradient, v, false, true);
        const centre = tf.sum(tf.mul(weightGradient, weights), -1, true);
        const scores = tf.mul(tf.sub(weightGradient, centre), weights);
        const queryGradient = queriesFromHeads(
          scale === 1 ? tf.matMul(scores, k) : tf.mul(tf.matMul(scores, k), scale),
        );
        const own = [
          queryGradient,
          fromHeads(tf.matMul(scores, q, true, false)),
          fromHeads(tf.matMul(weights, gradient, true, false)),
        ];
        return bias === null ? own : [...own, byHead(scores)];
      },
    };
  });
  const output = bias === null ? compute(query, key, value) : compute(query, key, value, bias);
  return tf.reshape(output, [batch, queries, width]);
}

/** `[batch, head, row, d]` from `[batch, row, head * d]`. */
function splitHeads(x: tf.Tensor3D, heads: number): tf.Tensor4D {
  const [batch, rows, width] = x.shape;
  return tf.transpose(tf.reshape(x, [batch, rows, heads, width / heads]), [0, 2, 1, 3]);
}

function joinHeads(x: tf.Tensor4D): tf.Tensor3D {
  const [batch, heads, rows, size] = x.shape;
  return tf.reshape(tf.transpose(x, [0, 2, 1, 3]), [batch, rows, heads * size]);
}

/** Every head `groups` times, one after the other. */
function repeatHeads(x: tf.Tensor3D, heads: number, groups: number): tf.Tensor3D {
  const [batch, rows, width] = x.shape;
  const separated = tf.reshape(x, [batch * rows, heads, 1, width / heads]);
  const repeated = tf.concat(new Array<tf.Tensor>(groups).fill(separated), 2);
  return tf.reshape(repeated, [batch, rows, width * groups]);
}
