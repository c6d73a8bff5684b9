import type { Gram } from './gram.js';
import { meanInnerProduct } from './inner-product.js';
import { measured } from './measured.js';
import type { Measured } from './measured.js';
import type { PairSelection } from './pairs.js';

/**
 * Cosine of the true mean gradients of two groups, free of the attenuation by the noise of few examples: the
 * U-statistic `cos_U = mean_{i in D, j in Q} K_ij / sqrt(U_D U_Q)`, `U_X = mean_{i != i' in X} K_ii'`. Each mean is
 * unbiased for the product of the true means; the ratio can leave [-1, 1] by chance and is not clamped.
 *
 * `exclude` leaves pairs out of the numerator: the matched ones, when generic alignment is asked for. The reason when
 * a group has fewer than 2 examples, no pair is left, or a U_X is not positive (the mean is not above its noise).
 */
export function unbiasedCosineOfMeans(
  gram: Gram,
  a: readonly number[],
  b: readonly number[],
  selection: PairSelection = {},
): Measured {
  const product = meanInnerProduct(gram, a, b, selection);
  if (typeof product === 'string') return product;
  const own = [a, b].map((group) => meanInnerProduct(gram, group, group));
  let scale = 1;
  for (const u of own) {
    if (typeof u === 'string') return u;
    if (u <= 0) return 'the squared norm of a mean gradient is not above its noise';
    scale *= Math.sqrt(u);
  }
  return measured(product / scale);
}
