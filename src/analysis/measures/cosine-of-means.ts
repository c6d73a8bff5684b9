import { assertExamples } from './gram.js';
import type { Gram } from './gram.js';
import { measured } from './measured.js';
import type { Measured } from './measured.js';
import { gradientSums } from './gradient-sums.js';

/**
 * Cosine of two groups' mean gradients as it stands, `g_D . g_Q / (|g_D| |g_Q|)`. With n noisy gradients a side it is
 * attenuated to `c sqrt(rel_D rel_Q)`, `rel = |G|^2 / (|G|^2 + tr Sigma / n)`; see `unbiasedCosineOfMeans`. The reason
 * for an empty group or one whose gradients cancel.
 */
export function cosineOfMeans(gram: Gram, a: readonly number[], b: readonly number[]): Measured {
  assertExamples(gram, a);
  assertExamples(gram, b);
  const sides = [gradientSums(gram, a), gradientSums(gram, b)];
  let lengths = 1;
  for (const side of sides) {
    if (typeof side === 'string') return side;
    if (side.products <= side.rounding) return 'the gradients of a group cancel';
    lengths *= Math.sqrt(side.products);
  }
  let product = 0;
  for (const i of a) for (const j of b) product += gram.at(i, j);
  return measured(product / lengths);
}
