import { everyExample } from './gram.js';
import type { Gram } from './gram.js';
import { gradientSums } from './gradient-sums.js';
import { measured } from './measured.js';
import type { Measured } from './measured.js';

/**
 * Expected mean squared norm of the minibatch gradients of an epoch when examples i and j share a minibatch with
 * probability `together(i, j)` by design of the sampler:
 * `E (1/m) sum_k |g_k|^2 = (sum |g_i|^2 + sum_{i != j} P(i~j) K_ij) / (N B)`, in units of K. With
 * `P = (B-1)/(N-1)` it is `expectedMinibatchNorm2`. The reason without examples or for a product that is not finite.
 */
export function compositionLaw(
  gram: Gram,
  batchSize: number,
  together: (i: number, j: number) => number,
): Measured {
  const sums = gradientSums(gram);
  if (typeof sums === 'string') return sums;
  let shared = 0;
  for (const i of everyExample(gram)) {
    for (const j of everyExample(gram)) if (i !== j) shared += together(i, j) * gram.at(i, j);
  }
  return measured((sums.norms + shared) / (gram.size * batchSize));
}
