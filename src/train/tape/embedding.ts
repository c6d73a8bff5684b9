import * as tf from '@tensorflow/tfjs-core';
import { segmentSum } from '../engine/ops/segment-sum.js';
import type { EmbeddingUse, LinearUse } from './uses.js';

/**
 * Gradient of an embedding table, kept apart by part: every example belongs to one of `parts` (its group), and a
 * part's gradient is summed from its examples' rows.
 *
 * @param partOf `[replica, example]` int32 in `[0, parts)`, or null for a single part
 * @returns `[replica, part, size, width]`
 */
export function embeddingParts(use: EmbeddingUse, partOf: tf.Tensor2D | null, parts: number): tf.Tensor4D {
  const [replicas, rows, width] = use.right.shape;
  const { size } = use;
  const part =
    partOf === null
      ? tf.zeros([replicas, rows], 'int32')
      : tf.reshape(tf.tile(tf.expandDims(partOf, 2), [1, 1, use.rows]), [replicas, rows]);
  const replicaBase = tf.range(0, replicas * parts * size, parts * size, 'int32');
  const target = tf.add(
    tf.add(use.ids, tf.mul(part, tf.scalar(size, 'int32'))),
    tf.expandDims(replicaBase, 1),
  );
  const inTable = tf.logicalAnd(
    tf.greaterEqual(use.ids, tf.scalar(0, 'int32')),
    tf.less(use.ids, tf.scalar(size, 'int32')),
  );
  // A dropped row gets an id that no segment has.
  const ids = tf.where(inTable, target, tf.fill(target.shape, -1, 'int32'));
  const sums = segmentSum(
    tf.reshape(use.right, [replicas * rows, width]),
    tf.reshape(ids, [replicas * rows]),
    replicas * parts * size,
  );
  return tf.reshape(sums, [replicas, parts, size, width]);
}

/** Squared norms of per-example gradients, `[replica, example]`. */
export function embeddingExampleNorms2(use: EmbeddingUse): tf.Tensor2D {
  return embeddingExampleProducts(use, use);
}

/**
 * Inner products, example by example, of the gradients of two lookups in one table (the texts of encoder and decoder), each
 * with rows of its own: `sum_{t,s} 1[id_t = id_s] b_t . b_s`.
 *
 * @returns `[replica, example]`
 */
export function embeddingExampleProducts(first: EmbeddingUse, second: EmbeddingUse): tf.Tensor2D {
  const byExample = ({ right, ids, rows, size }: EmbeddingUse) => {
    const [replicas, total, width] = right.shape;
    const own = tf.reshape(ids, [replicas, total / rows, rows]);
    const inTable = tf.logicalAnd(
      tf.greaterEqual(own, tf.scalar(0, 'int32')),
      tf.less(own, tf.scalar(size, 'int32')),
    );
    return {
      ids: own,
      used: tf.cast(inTable, 'float32'),
      right: tf.reshape(right, [replicas, total / rows, rows, width]),
    };
  };
  const a = byExample(first);
  const b = second === first ? a : byExample(second);
  const same = tf.equal(tf.expandDims(a.ids, 3), tf.expandDims(b.ids, 2));
  const used = tf.mul(tf.expandDims(a.used, 3), tf.expandDims(b.used, 2));
  const pairs = tf.mul(tf.cast(same, 'float32'), used);
  return tf.sum(tf.mul(pairs, tf.matMul(a.right, b.right, false, true)), [2, 3]) as tf.Tensor2D;
}

/**
 * Inner products, example by example, of the two gradients of a tied table: as embedding (`use`) and as unembedding
 * (`tied`, whose left factor is the gradient at the logits): `sum_{t,s} (c_t . h_s) l_s[id_t]`.
 *
 * @returns `[replica, example]`
 */
export function tiedExampleProducts(use: EmbeddingUse, tied: LinearUse): tf.Tensor2D {
  const [replicas, rows, width] = use.right.shape;
  const examples = rows / use.rows;
  const c = tf.reshape(use.right, [replicas, examples, use.rows, width]);
  const h = tf.reshape(tied.right, [replicas, examples, tied.rows, width]);
  const l = tf.reshape(tied.left, [replicas, examples, tied.rows, use.size]);
  const oneHot = tf.reshape(tf.oneHot(tf.reshape(use.ids, [-1]), use.size), [
    replicas,
    examples,
    use.rows,
    use.size,
  ]);
  const logitGradient = tf.matMul(oneHot, l, false, true);
  return tf.sum(tf.mul(tf.matMul(c, h, false, true), logitGradient), [2, 3]) as tf.Tensor2D;
}
