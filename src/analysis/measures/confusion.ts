import { quantileSorted } from 'simple-statistics';
import { assertProbability } from '../inference/check.js';
import { everyExample } from './gram.js';
import type { Gram } from './gram.js';
import { pairProducts } from './pairs.js';

/** How much the worst pairs of a group work against each other, in units of K. */
export interface Confusion {
  /** `eta = max(0, -min_{i != j} K_ij)`. */
  readonly eta: number;
  /** The smallest inner product: an extreme value, lower the more examples there are. */
  readonly smallest: number;
  /** The `quantile` of the inner products, which does not depend on their number. */
  readonly lowQuantile: number;
}

/**
 * Gradient confusion (Sankararaman, De, Xu, Huang and Goldstein 2020): the smallest eta with
 * `g_i . g_j >= -eta` for all pairs of different examples. `quantile` is that of `lowQuantile`, 0.05 by default. The
 * reason without a pair or for a product that is not finite; throws a RangeError for a quantile outside (0, 1).
 */
export function confusion(
  gram: Gram,
  indices: readonly number[] = everyExample(gram),
  quantile = 0.05,
): Confusion | string {
  assertProbability('quantile', quantile);
  const products = pairProducts(gram, indices, indices);
  if (typeof products === 'string') return products;
  const sorted = Array.from(products.toSorted());
  const smallest = sorted[0]!;
  return { eta: Math.max(0, -smallest), smallest, lowQuantile: quantileSorted(sorted, quantile) };
}
