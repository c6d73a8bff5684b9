import { everyExample } from './gram.js';
import type { Gram } from './gram.js';
import { gradientSums } from './gradient-sums.js';
import { measured } from './measured.js';
import type { Measured } from './measured.js';

/**
 * Inner-product test (Bollapragada, Byrd and Nocedal 2018), a plain number: the spread of the gradients along the
 * minibatch gradient g, `theta = sqrt(sum (g_i . g / |g|^2 - 1)^2 / (B (B - 1)))`, from the row sums of K, of the
 * minibatch of examples `indices`, all by default. Small where a step along g lowers every example's loss alike. The
 * reason for fewer than 2 examples, a product that is not finite, or gradients that cancel.
 */
export function innerProductTest(gram: Gram, indices: readonly number[] = everyExample(gram)): Measured {
  const sums = gradientSums(gram, indices);
  if (typeof sums === 'string') return sums;
  const { n, products, rounding } = sums;
  if (n < 2) return 'fewer than 2 examples';
  if (products <= rounding) return 'the gradients cancel';
  let squares = 0;
  for (const i of indices) {
    const row = indices.reduce((sum, j) => sum + gram.at(i, j), 0);
    squares += ((n * row) / products - 1) ** 2;
  }
  return measured(Math.sqrt(squares / (n * (n - 1))));
}
