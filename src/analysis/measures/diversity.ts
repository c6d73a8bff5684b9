import type { Gram } from './gram.js';
import { gradientSums } from './gradient-sums.js';
import type { Measured } from './measured.js';

/**
 * Gradient diversity (Yin, Pananjady, Lam, Papailiopoulos, Ramchandran and Bartlett 2018), a plain number of at least
 * 1/N: `Delta = sum |g_i|^2 / |sum g_i|^2 = S_1 / S_2`. `N Delta = 1 + Gamma / |G|^2`: the noise scale in other words.
 * Of all examples by default. The reason for an empty group, a product that is not finite, or gradients that cancel.
 */
export function diversity(gram: Gram, indices?: readonly number[]): Measured {
  const sums = gradientSums(gram, indices);
  if (typeof sums === 'string') return sums;
  return sums.products <= sums.rounding ? 'the gradients cancel' : sums.norms / sums.products;
}
