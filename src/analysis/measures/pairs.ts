import { assertExamples } from './gram.js';
import type { Gram } from './gram.js';

/** Options of a measure over the pairs of two groups. */
export interface PairSelection {
  /** Pairs to leave out, by the indices of the two examples; an example with itself is always left out. */
  readonly exclude?: (row: number, column: number) => boolean;
}

/**
 * `K_ij` of all pairs of different examples, i of `rows` and j of `columns`, row by row; for one group with itself
 * every pair comes twice. The reason instead when there is no pair or a product is not finite. Throws a RangeError for
 * an example that is not there or comes twice in a group.
 */
export function pairProducts(
  gram: Gram,
  rows: readonly number[],
  columns: readonly number[],
  { exclude }: PairSelection = {},
): Float64Array | string {
  assertExamples(gram, rows);
  assertExamples(gram, columns);
  const products = new Float64Array(rows.length * columns.length);
  let count = 0;
  for (const i of rows) {
    for (const j of columns) {
      if (i === j || exclude?.(i, j) === true) continue;
      const product = gram.at(i, j);
      if (!Number.isFinite(product)) return `the inner product of examples ${i} and ${j} is ${product}`;
      products[count++] = product;
    }
  }
  return count === 0 ? 'there is no pair of different examples' : products.subarray(0, count);
}

/** `|g_i|` of each of `indices`, or why one of them has no direction. */
export function lengths(gram: Gram, indices: readonly number[]): Float64Array | string {
  assertExamples(gram, indices);
  const values = new Float64Array(indices.length);
  for (const [place, i] of indices.entries()) {
    const norm2 = gram.at(i, i);
    if (norm2 === 0) return `example ${i} has no gradient`;
    if (!(norm2 > 0 && Number.isFinite(norm2))) return `the squared norm of example ${i} is ${norm2}`;
    values[place] = Math.sqrt(norm2);
  }
  return values;
}
