import type { Gram } from './gram.js';
import { meanOf } from './measured.js';
import type { Measured } from './measured.js';
import { pairProducts } from './pairs.js';
import type { PairSelection } from './pairs.js';

/**
 * Mean inner product `mean K_ij` over the pairs of different examples of two groups, in units of K: the quantity of
 * every first-order theory (Smith et al. 2021, Nichol et al. 2018). Dominated by the examples with large gradients,
 * so shown beside the cosine. The reason without a pair or for a product that is not finite.
 */
export function meanInnerProduct(
  gram: Gram,
  rows: readonly number[],
  columns: readonly number[],
  selection: PairSelection = {},
): Measured {
  return meanOf(pairProducts(gram, rows, columns, selection));
}
