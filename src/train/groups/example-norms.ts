import * as tf from '@tensorflow/tfjs-core';
import { embeddingExampleNorms2, embeddingExampleProducts, tiedExampleProducts } from '../tape/embedding.js';
import { linearExampleNorms2, linearExampleProducts } from '../tape/linear.js';
import type { ParameterUse } from '../tape/uses.js';
import { vectorExampleNorms2 } from '../tape/vector.js';

/**
 * Squared norms of the per-example gradients of one parameter, `[replica, example]`, cross terms between its uses
 * included: `|sum_u g_u|^2 = sum_u |g_u|^2 + 2 sum_{u<v} g_u . g_v`. Without them a tied table is off by half.
 */
export function exampleNorms2(uses: readonly ParameterUse[]): tf.Tensor2D {
  let sum: tf.Tensor2D | null = null;
  const add = (term: tf.Tensor2D): void => {
    sum = sum === null ? term : tf.add(sum, term);
  };
  uses.forEach((use, i) => {
    add(ownNorms2(use));
    for (const other of uses.slice(i + 1)) add(tf.mul(crossProducts(use, other), 2));
  });
  if (sum === null) throw new Error('a parameter without uses has no gradient');
  return sum;
}

function ownNorms2(use: ParameterUse): tf.Tensor2D {
  switch (use.kind) {
    case 'linear':
      return linearExampleNorms2(use);
    case 'vector':
      return vectorExampleNorms2(use);
    case 'embedding':
      return embeddingExampleNorms2(use);
  }
}

function crossProducts(first: ParameterUse, second: ParameterUse): tf.Tensor2D {
  if (first.kind === 'linear' && second.kind === 'linear') return linearExampleProducts(first, second);
  if (first.kind === 'embedding' && second.kind === 'embedding')
    return embeddingExampleProducts(first, second);
  if (first.kind === 'embedding' && second.kind === 'linear') return tiedExampleProducts(first, second);
  if (first.kind === 'linear' && second.kind === 'embedding') return tiedExampleProducts(second, first);
  if (first.kind === 'vector' && second.kind === 'vector')
    return tf.sum(tf.mul(first.sums, second.sums), 2) as tf.Tensor2D;
  throw new Error(`no inner product between a ${first.kind} and a ${second.kind} use of ${first.parameter}`);
}
