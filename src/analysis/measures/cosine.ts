import { everyExample, gramMatrix } from './gram.js';
import type { Gram } from './gram.js';
import { measured, meanOf } from './measured.js';
import type { Measured } from './measured.js';
import { lengths, pairProducts } from './pairs.js';
import type { PairSelection } from './pairs.js';

/**
 * Cosine of two examples' gradients, `c_ij = K_ij / sqrt(K_ii K_jj)`, a plain number in [-1, 1]. The reason for a
 * gradient that is 0 or not finite.
 */
export function cosine(gram: Gram, i: number, j: number): Measured {
  const [a, b] = [lengths(gram, [i]), lengths(gram, [j])];
  if (typeof a === 'string') return a;
  if (typeof b === 'string') return b;
  return measured(gram.at(i, j) / a[0]! / b[0]!);
}

/**
 * The Gram matrix of the gradients divided by their lengths: what every measure of inner products makes of it is the
 * one of cosines. The reason when one gradient is 0 or not finite.
 */
export function cosineGram(gram: Gram): Gram | string {
  const norms = lengths(gram, everyExample(gram));
  if (typeof norms === 'string') return norms;
  const { size } = gram;
  const cosines = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) cosines[i * size + j] = gram.at(i, j) / norms[i]! / norms[j]!;
  }
  return gramMatrix(cosines, size);
}

/** Cosines of the pairs of {@link pairProducts}, in its order. */
export function pairCosines(
  gram: Gram,
  rows: readonly number[],
  columns: readonly number[],
  selection: PairSelection = {},
): Float64Array | string {
  const norms = new Float64Array(gram.size);
  for (const side of [rows, columns]) {
    const own = lengths(gram, side);
    if (typeof own === 'string') return own;
    side.forEach((example, place) => {
      norms[example] = own[place]!;
    });
  }
  const at = (i: number, j: number): number => gram.at(i, j) / norms[i]! / norms[j]!;
  return pairProducts({ size: gram.size, at }, rows, columns, selection);
}

/**
 * Mean cosine over the pairs of different examples of two groups. The reason without a pair, or for a gradient that is
 * 0 or not finite: left out silently it would bias the mean.
 */
export function meanCosine(
  gram: Gram,
  rows: readonly number[],
  columns: readonly number[],
  selection: PairSelection = {},
): Measured {
  return meanOf(pairCosines(gram, rows, columns, selection));
}
