import type { Gram } from './gram.js';
import { measured } from './measured.js';

/**
 * Share of each tensor or layer in an inner product, `[layer]`: `K^l_ij / sum_l |K^l_ij|`, in [-1, 1], signed, sizes
 * adding up to 1. The reason when every layer's product is 0 or one is not finite.
 */
export function layerShares(layers: readonly Gram[], i: number, j: number): Float64Array | string {
  const products = Float64Array.from(layers, (gram) => gram.at(i, j));
  const sizes = measured(products.reduce((sum, product) => sum + Math.abs(product), 0));
  if (typeof sizes === 'string') return 'an inner product is not finite';
  return sizes === 0 ? 'the inner product is 0 in every layer' : products.map((product) => product / sizes);
}
