import * as tf from '@tensorflow/tfjs-core';
import { embeddingParts } from './tape/embedding.js';
import { linearChunks } from './tape/linear.js';
import type { ParameterUse } from './tape/uses.js';
import { vectorGradient } from './tape/vector.js';

/** Minibatch gradients assembled from factors. */
export interface AssembledGradients {
  /** Parameter -> `[replica, ...shape]`; vector uses of a parameter of several axes give `[replica, size]`. */
  readonly total: ReadonlyMap<string, tf.Tensor>;
  /** Parameters with one linear use -> `[replica, chunk, in, out]`, whose sum over chunks is the total. */
  readonly chunks: ReadonlyMap<string, tf.Tensor4D>;
}

/**
 * Assembles the gradient of every parameter from the factors of its uses: `A^T B` for maps, sums for vectors,
 * scatters for tables; uses of a tied parameter add up.
 *
 * @param chunks equal runs of examples kept apart in the linear uses; must divide the number of examples
 */
export function assembleGradients(uses: readonly ParameterUse[], chunks: number): AssembledGradients {
  const total = new Map<string, tf.Tensor>();
  const chunked = new Map<string, tf.Tensor4D>();
  for (const use of uses) {
    let gradient: tf.Tensor;
    if (use.kind === 'linear') {
      const parts = linearChunks(use, chunks);
      const [replicas, , inputs, outputs] = parts.shape;
      gradient = chunks === 1 ? tf.reshape(parts, [replicas, inputs, outputs]) : tf.sum(parts, 1);
      chunked.set(use.parameter, parts);
    } else if (use.kind === 'vector') gradient = vectorGradient(use);
    else gradient = tf.squeeze(embeddingParts(use, null, 1), [1]);
    const before = total.get(use.parameter);
    total.set(use.parameter, before === undefined ? gradient : tf.add(before, gradient));
    if (before !== undefined) chunked.delete(use.parameter);
  }
  return { total, chunks: chunked };
}
