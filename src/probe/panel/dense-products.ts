import * as tf from '@tensorflow/tfjs-core';
import type { EmbeddingUse, LinearUse, ParameterUse } from '../../train/tape/uses.js';
import { exampleCount, valuesOf } from './ghost-products.js';

/** Terms that are added up in float32; sums of such sums are float64. */
const chunk = 1024;

/** Largest gradients held at once, numbers: 256 MB of float32. */
const largest = 1 << 26;

/**
 * Whether forming the gradients of one parameter costs less than not forming them, for products of n with m examples:
 * their `(n + m) size` numbers and `n m` products for every {@link chunk} of them, against `3 n T m S` numbers of row
 * products (two factors and their product). Short texts through narrow maps are cheaper formed, wide maps are not
 * ("mixed ghost", Bu et al. 2022: 2 T^2 against the size of the map). Never for a parameter that is used twice.
 */
export function formsGradients(x: readonly ParameterUse[], y: readonly ParameterUse[]): boolean {
  const [use, other] = [x[0]!, y[0]!];
  if (x.length > 1) return false;
  if (use.kind === 'vector' || other.kind === 'vector') return true;
  const size = gradientSize(use);
  const [n, m] = [exampleCount(use), exampleCount(other)];
  const formed = (n + m) * size + n * m * Math.ceil(size / chunk);
  return (n + m) * size <= largest && formed < 3 * n * use.rows * m * other.rows;
}

/**
 * Gradient of one use for every example of one replica.
 *
 * @returns `[example, size]`
 */
export function formGradients(use: ParameterUse): tf.Tensor2D {
  const examples = exampleCount(use);
  if (use.kind === 'vector') return tf.reshape(use.sums, [examples, use.sums.shape[2]]);
  return tf.reshape(use.kind === 'linear' ? linearGradients(use) : embeddingGradients(use), [
    examples,
    gradientSize(use),
  ]);
}

/**
 * Inner products of gradients that are formed: float32 over runs of 1024 coordinates, float64 over the runs.
 *
 * @param x `[n, size]`
 * @param y `[m, size]`
 * @returns `[n, m]` row-major
 */
export function denseProducts(x: tf.Tensor2D, y: tf.Tensor2D): Float64Array {
  const total = new Float64Array(x.shape[0] * y.shape[0]);
  for (let from = 0; from < x.shape[1]; from += chunk) {
    const part = valuesOf(() => runProducts(x, y, from));
    for (let i = 0; i < total.length; i++) total[i]! += part[i]!;
  }
  return total;
}

/** The same, `[n, m]`, with float32 sums over the runs too; the caller disposes of it. */
export function denseProductTensor(x: tf.Tensor2D, y: tf.Tensor2D): tf.Tensor2D {
  return tf.tidy(() => {
    let total = runProducts(x, y, 0);
    for (let from = chunk; from < x.shape[1]; from += chunk) total = tf.add(total, runProducts(x, y, from));
    return total;
  });
}

/** Products over the run of coordinates from `from` on. */
function runProducts(x: tf.Tensor2D, y: tf.Tensor2D, from: number): tf.Tensor2D {
  const width = Math.min(chunk, x.shape[1] - from);
  const run = (own: tf.Tensor2D): tf.Tensor2D =>
    width === own.shape[1] ? own : tf.slice(own, [0, from], [own.shape[0], width]);
  return tf.matMul(run(x), run(y), false, true);
}

function gradientSize(use: LinearUse | EmbeddingUse): number {
  return use.kind === 'linear' ? use.left.shape[2] * use.right.shape[2] : use.size * use.right.shape[2];
}

function linearGradients(use: LinearUse): tf.Tensor3D {
  const byExample = (x: tf.Tensor3D): tf.Tensor3D => tf.reshape(x, [exampleCount(use), use.rows, x.shape[2]]);
  return tf.matMul(byExample(use.left), byExample(use.right), true, false);
}

/** One-hot ids instead of a scatter; ids outside the table give rows of zeros. */
function embeddingGradients({ ids, right, rows, size }: EmbeddingUse): tf.Tensor3D {
  const examples = right.shape[1] / rows;
  const oneHot = tf.reshape(tf.oneHot(tf.reshape(ids, [-1]), size), [examples, rows, size]);
  const back = tf.reshape(right, [examples, rows, right.shape[2]]);
  return tf.matMul(tf.cast(oneHot, 'float32'), back, true, false);
}
