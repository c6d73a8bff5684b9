import { assertEqualLength } from '../inference/check.js';
import { assertExamples } from './gram.js';
import type { Gram } from './gram.js';
import { meanOf } from './measured.js';
import type { Measured } from './measured.js';

/**
 * Inner products after each group's mean gradient is taken away, `(g_i - g_D) . (h_j - h_Q)`: the block K_DQ with its
 * row and column means removed, `[rows, columns]` row by row. What all examples of a type have in common is gone. The
 * reason for an empty group or a product that is not finite.
 */
export function centredProducts(
  gram: Gram,
  rows: readonly number[],
  columns: readonly number[],
): Float64Array | string {
  assertExamples(gram, rows);
  assertExamples(gram, columns);
  const [n, m] = [rows.length, columns.length];
  if (n === 0 || m === 0) return 'a group is empty';
  const rowMean = new Float64Array(n);
  const columnMean = new Float64Array(m);
  const block = Float64Array.from({ length: n * m }, (_, cell) => {
    const [i, j] = [Math.floor(cell / m), cell % m];
    const product = gram.at(rows[i]!, columns[j]!);
    rowMean[i]! += product / m;
    columnMean[j]! += product / n;
    return product;
  });
  let grand = 0;
  for (const mean of rowMean) grand += mean / n;
  if (!Number.isFinite(grand)) return 'an inner product is not finite';
  return block.map((product, cell) => {
    return product - rowMean[Math.floor(cell / m)]! - columnMean[cell % m]! + grand;
  });
}

/**
 * Mean centred inner product of matched pairs, row e with column e. Identity for n entities: the matched mean minus
 * the mismatched mean of K is `n / (n - 1)` times it. The reason for an empty group or a product that is not finite;
 * throws a RangeError when the groups differ in size.
 */
export function centredMatched(gram: Gram, rows: readonly number[], columns: readonly number[]): Measured {
  assertEqualLength('matched groups', rows, columns);
  const block = centredProducts(gram, rows, columns);
  if (typeof block === 'string') return block;
  return meanOf(rows.map((_, e) => block[e * columns.length + e]!));
}

/**
 * Cosines after centring within each group, `[rows, columns]` row by row: `K~_ij / sqrt(K~_ii K~_jj)`, each norm
 * centred in its own group. The reason also where an example is its group's mean: it has no direction left.
 */
export function centredCosines(
  gram: Gram,
  rows: readonly number[],
  columns: readonly number[],
): Float64Array | string {
  const block = centredProducts(gram, rows, columns);
  if (typeof block === 'string') return block;
  const norms = [rows, columns].map((group) => centredLengths(gram, group));
  const [a, b] = norms;
  if (typeof a !== 'object') return a!;
  if (typeof b !== 'object') return b!;
  return block.map(
    (product, cell) => product / a[Math.floor(cell / columns.length)]! / b[cell % columns.length]!,
  );
}

function centredLengths(gram: Gram, group: readonly number[]): Float64Array | string {
  const block = centredProducts(gram, group, group);
  if (typeof block === 'string') return block;
  const norms = new Float64Array(group.length);
  for (const [place, example] of group.entries()) {
    const norm2 = block[place * group.length + place]!;
    if (norm2 <= 1e-12 * gram.at(example, example)) return `example ${example} is its group's mean`;
    norms[place] = Math.sqrt(norm2);
  }
  return norms;
}
