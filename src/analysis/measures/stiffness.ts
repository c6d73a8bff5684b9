import { pairCosines } from './cosine.js';
import type { Gram } from './gram.js';
import { meanOf } from './measured.js';
import { pairProducts } from './pairs.js';
import type { PairSelection } from './pairs.js';

/** Stiffness of two groups of examples. */
export interface Stiffness {
  /** `E[sign(g_i . g_j)]`, in [-1, 1]: share of pairs where a step on one lowers the other's loss, less the rest. */
  readonly sign: number;
  /** `E[c_ij]`, mean cosine. */
  readonly cosine: number;
}

/**
 * Stiffness (Fort, Nowak, Jastrzebski and Narayanan 2019) of two groups ("class pair", here tag and subset): over the
 * pairs of different examples, `S_sign = E[sign(g_i . g_j)]` and `S_cos = E[c_ij]`. Plain numbers. The reason without
 * a pair, or for a gradient that is 0 or not finite.
 */
export function stiffness(
  gram: Gram,
  rows: readonly number[],
  columns: readonly number[],
  selection: PairSelection = {},
): Stiffness | string {
  const products = pairProducts(gram, rows, columns, selection);
  if (typeof products === 'string') return products;
  const cosine = meanOf(pairCosines(gram, rows, columns, selection));
  if (typeof cosine === 'string') return cosine;
  const sign = products.reduce((sum, product) => sum + Math.sign(product), 0) / products.length;
  return { sign, cosine };
}
