import type { Gram } from './gram.js';
import type { Measured } from './measured.js';
import { pairProducts } from './pairs.js';
import type { PairSelection } from './pairs.js';

/**
 * Share of pairs of different examples whose gradients conflict, `P(K_ij < 0)` (the condition of PCGrad, Yu et al.
 * 2020), in [0, 1]. The reason without a pair or for a product that is not finite.
 */
export function conflictRate(
  gram: Gram,
  rows: readonly number[],
  columns: readonly number[],
  selection: PairSelection = {},
): Measured {
  const products = pairProducts(gram, rows, columns, selection);
  if (typeof products === 'string') return products;
  return products.reduce((count, product) => count + Number(product < 0), 0) / products.length;
}
