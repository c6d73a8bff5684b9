import * as tf from '@tensorflow/tfjs-core';
import type { EmbeddingUse, LinearUse, ParameterUse } from '../../train/tape/uses.js';

/**
 * Inner products of the gradients of one parameter between every example of one batch and every example of another,
 * exactly and without forming a gradient ("ghost" products; Goodfellow 2015, Li et al. 2022):
 * `<G_i, G_j> = sum_{t,s} (a_it . a_js) (b_it . b_js)` for a linear map, cross terms included where a parameter is used
 * more than once. Products of rows are float32, their sums float64.
 *
 * @param x uses of the parameter by the first batch, of one replica
 * @param y uses by the second, in the same order
 * @returns `[example of x, example of y]` row-major
 */
export function ghostProducts(x: readonly ParameterUse[], y: readonly ParameterUse[]): Float64Array {
  const total = new Float64Array(exampleCount(x[0]!) * exampleCount(y[0]!));
  for (const first of x) for (const second of y) addProducts(first, second, total);
  return total;
}

/**
 * The same as a float32 tensor `[example of x, example of y]`, which the caller disposes of. Where the parameter is used once
 * and an example has one row there is nothing to sum, and the products need not come to the host.
 */
export function ghostProductTensor(x: readonly ParameterUse[], y: readonly ParameterUse[]): tf.Tensor2D {
  const [first, second] = [x[0]!, y[0]!];
  const isOneRow = (use: ParameterUse): boolean => use.kind !== 'vector' && use.rows === 1;
  if (x.length === 1 && isOneRow(first) && isOneRow(second)) {
    if (first.kind === 'linear' && second.kind === 'linear') {
      return tf.tidy(() =>
        tf.mul(
          tf.matMul(matrix(first.left), matrix(second.left), false, true),
          tf.matMul(matrix(first.right), matrix(second.right), false, true),
        ),
      );
    }
    if (first.kind === 'embedding' && second.kind === 'embedding')
      return tf.tidy(() => sameRowProducts(first, second));
  }
  const products = ghostProducts(x, y);
  return tf.tensor2d(Float32Array.from(products), [exampleCount(first), exampleCount(second)]);
}

/** `1[id_i = id_j] b_i . b_j`, without rows outside the table. */
function sameRowProducts(x: EmbeddingUse, y: EmbeddingUse): tf.Tensor2D {
  const [own, others] = [tf.reshape(x.ids, [-1, 1]), tf.reshape(y.ids, [1, -1])];
  const inTable = tf.logicalAnd(
    tf.greaterEqual(own, tf.scalar(0, 'int32')),
    tf.less(own, tf.scalar(x.size, 'int32')),
  );
  const same = tf.cast(tf.logicalAnd(tf.equal(own, others), inTable), 'float32');
  return tf.mul(same, tf.matMul(matrix(x.right), matrix(y.right), false, true));
}

/** Examples of a use of one replica. */
export function exampleCount(use: ParameterUse): number {
  if (use.kind === 'vector') return use.sums.shape[1];
  return (use.kind === 'linear' ? use.left : use.right).shape[1] / use.rows;
}

/** Row products held at a time: 16 MB of float32. */
const tile = 1 << 22;

function addProducts(x: ParameterUse, y: ParameterUse, total: Float64Array): void {
  if (x.kind === 'vector' && y.kind === 'vector') {
    const products = valuesOf(() => tf.matMul(matrix(x.sums), matrix(y.sums), false, true));
    products.forEach((value, i) => (total[i]! += value));
  } else if (x.kind === 'linear' && y.kind === 'linear') addLinear(x, y, total);
  else if (x.kind === 'embedding' && y.kind === 'embedding') addEmbedding(x, y, total);
  else if (x.kind === 'embedding' && y.kind === 'linear') addTied(x, y, total, false);
  else if (x.kind === 'linear' && y.kind === 'embedding') addTied(y, x, total, true);
  else throw new Error(`no inner product between a ${x.kind} and a ${y.kind} use of ${x.parameter}`);
}

function addLinear(x: LinearUse, y: LinearUse, total: Float64Array): void {
  tf.tidy(() => {
    const [a, b] = [usedRows(x), usedRows(y)];
    overTiles(a.rows, b.rows, exampleCount(x), exampleCount(y), total, (from, to) =>
      tf.mul(
        tf.matMul(rowsOf(a.left, a.rows, from, to), b.left, false, true),
        tf.matMul(rowsOf(a.right, a.rows, from, to), b.right, false, true),
      ),
    );
  });
}

function addEmbedding(x: EmbeddingUse, y: EmbeddingUse, total: Float64Array): void {
  tf.tidy(() => {
    const [left, right] = [matrix(x.right), matrix(y.right)];
    const [xIds, yIds] = [x.ids.dataSync(), y.ids.dataSync()];
    const inTable = (id: number): boolean => id >= 0 && id < x.size;
    const keep = (row: number, column: number): number =>
      xIds[row] === yIds[column] && inTable(xIds[row]!) ? 1 : 0;
    overTiles(
      x.rows,
      y.rows,
      exampleCount(x),
      exampleCount(y),
      total,
      (from, to) => tf.matMul(rowsOf(left, x.rows, from, to), right, false, true),
      keep,
    );
  });
}

/** Embedding against unembedding of one table: `sum_{t,s} (c_t . h_s) l_s[id_t]`. */
function addTied(
  embedding: EmbeddingUse,
  linear: LinearUse,
  total: Float64Array,
  linearFirst: boolean,
): void {
  tf.tidy(() => {
    const [c, h] = [matrix(embedding.right), matrix(linear.right)];
    const ids = embedding.ids.dataSync();
    const logits = linear.left.dataSync();
    const size = linear.left.shape[2];
    const weight = (row: number, column: number): number => {
      const id = ids[row]!;
      return id >= 0 && id < embedding.size ? logits[column * size + id]! : 0;
    };
    const [n, m] = [exampleCount(embedding), exampleCount(linear)];
    const own = linearFirst ? new Float64Array(total.length) : total;
    overTiles(
      embedding.rows,
      linear.rows,
      n,
      m,
      own,
      (from, to) => tf.matMul(rowsOf(c, embedding.rows, from, to), h, false, true),
      weight,
    );
    if (!linearFirst) return;
    for (let i = 0; i < n; i++) for (let j = 0; j < m; j++) total[j * n + i]! += own[i * m + j]!;
  });
}

/**
 * Adds, for every pair of examples, the sum over their rows of the row products.
 *
 * @param products `[examples from..to * xRows, y examples * yRows]` row products of some examples of x
 * @param weight factor of a pair of rows, numbered over the whole batches; 1 where it is left out
 */
function overTiles(
  xRows: number,
  yRows: number,
  n: number,
  m: number,
  total: Float64Array,
  products: (from: number, to: number) => tf.Tensor,
  weight: ((row: number, column: number) => number) | null = null,
): void {
  const columns = m * yRows;
  const step = Math.max(1, Math.floor(tile / (xRows * columns)));
  for (let from = 0; from < n; from += step) {
    const to = Math.min(n, from + step);
    const values = valuesOf(() => products(from, to));
    for (let i = from; i < to; i++) {
      for (let t = 0; t < xRows; t++) {
        const row = i * xRows + t;
        let at = (row - from * xRows) * columns;
        for (let j = 0; j < m; j++) {
          let sum = 0;
          for (let s = 0; s < yRows; s++, at++) {
            sum += weight === null ? values[at]! : values[at]! * weight(row, j * yRows + s);
          }
          total[i * m + j]! += sum;
        }
      }
    }
  }
}

/**
 * The leading rows of a linear use outside which some factor is zero in every example: behind the last answer of a
 * causal model nothing flows back.
 */
function usedRows(use: LinearUse): { rows: number; left: tf.Tensor2D; right: tf.Tensor2D } {
  const examples = exampleCount(use);
  const perRow = (x: tf.Tensor3D): tf.Tensor =>
    tf.max(tf.reshape(tf.max(tf.abs(x), 2), [examples, use.rows]), 0);
  const used = tf.mul(perRow(use.left), perRow(use.right)).dataSync();
  let rows = use.rows;
  while (rows > 1 && used[rows - 1] === 0) rows--;
  const cut = (x: tf.Tensor3D): tf.Tensor2D => {
    const width = x.shape[2];
    const shaped = tf.reshape(x, [examples, use.rows, width]);
    return tf.reshape(tf.slice(shaped, [0, 0, 0], [examples, rows, width]), [examples * rows, width]);
  };
  return { rows, left: cut(use.left), right: cut(use.right) };
}

/** Values of a tensor. Not by way of `tf.tidy`, which would look for tensors in every element of what it returns. */
export function valuesOf(compute: () => tf.Tensor): Float32Array {
  const result = tf.tidy(compute);
  const values = result.dataSync<'float32'>();
  result.dispose();
  return values;
}

function matrix(x: tf.Tensor3D): tf.Tensor2D {
  return tf.reshape(x, [x.shape[1], x.shape[2]]);
}

function rowsOf(x: tf.Tensor2D, rows: number, from: number, to: number): tf.Tensor2D {
  return tf.slice(x, [from * rows, 0], [(to - from) * rows, x.shape[1]]);
}
