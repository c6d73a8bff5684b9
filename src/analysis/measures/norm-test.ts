import type { Gram } from './gram.js';
import { gradientSums } from './gradient-sums.js';
import { measured } from './measured.js';
import type { Measured } from './measured.js';

/**
 * Norm test (Byrd, Chin, Nocedal and Wu 2012), a plain number: the least theta with
 * `tr Sigma / B <= theta^2 |g|^2`, that is `theta = sqrt(s^2 / (B |g|^2))`, `s^2 = (sum |g_i|^2 - B |g|^2) / (B - 1)`,
 * of the minibatch of examples `indices`, all by default. Above about 1 the batch is smaller than its noise scale.
 * The reason for fewer than 2 examples, a product that is not finite, or gradients that cancel.
 */
export function normTest(gram: Gram, indices?: readonly number[]): Measured {
  const sums = gradientSums(gram, indices);
  if (typeof sums === 'string') return sums;
  const { n, norms, products, rounding } = sums;
  if (n < 2) return 'fewer than 2 examples';
  if (products <= rounding) return 'the gradients cancel';
  return measured(Math.sqrt(Math.max(0, (n * norms) / products - 1) / (n - 1)));
}
