import * as tf from '@tensorflow/tfjs-core';
import type { ParameterUse } from '../../train/tape/uses.js';

/** Uses of the examples `from <= i < to`; the caller disposes of the slices (wrap in tf.tidy). */
export function sliceExamples(uses: readonly ParameterUse[], from: number, to: number): ParameterUse[] {
  const cut = <T extends tf.Tensor>(tensor: T, rows: number): T =>
    tf.slice(
      tensor,
      tensor.shape.map((_, axis) => (axis === 1 ? from * rows : 0)),
      tensor.shape.map((size, axis) => (axis === 1 ? (to - from) * rows : size)),
    );
  return uses.map((use) => {
    switch (use.kind) {
      case 'linear':
        return { ...use, left: cut(use.left, use.rows), right: cut(use.right, use.rows) };
      case 'vector':
        return { ...use, sums: cut(use.sums, 1) };
      case 'embedding':
        return { ...use, ids: cut(use.ids, use.rows), right: cut(use.right, use.rows) };
    }
  });
}

/**
 * Uses in which `size` consecutive examples are one, whose gradient is the sum of theirs: their rows become rows of
 * one example.
 */
export function poolExamples(uses: readonly ParameterUse[], size: number): ParameterUse[] {
  return uses.map((use) => {
    if (use.kind !== 'vector') return { ...use, rows: use.rows * size };
    const [replicas, examples, width] = use.sums.shape;
    const sums = tf.sum(tf.reshape(use.sums, [replicas, examples / size, size, width]), 2) as tf.Tensor3D;
    return { ...use, sums };
  });
}
