import { assertInteger } from '../inference/check.js';
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

/** How a sampler places matched pairs of examples. */
export type PairPlacement = 'random' | 'together' | 'apart';

/** Probabilities that two examples share a minibatch. */
export interface SharingProbabilities {
  readonly matched: number;
  readonly mismatched: number;
}

/**
 * Probabilities of sharing a minibatch when N examples form N/2 matched pairs: each example meets B - 1 others
 * whatever the placement. Throws a RangeError when the placement cannot be had: `together` needs an even B, `apart`
 * B <= N/2, all an even N of at least 4.
 */
export function sharingProbabilities(
  placement: PairPlacement,
  batchSize: number,
  population: number,
): SharingProbabilities {
  const [B, N] = [batchSize, population];
  assertInteger('population', N, 4);
  assertInteger('batch size', B, 1);
  const possible = { random: B <= N, together: B % 2 === 0 && B <= N, apart: B <= N / 2 };
  if (N % 2 !== 0 || !possible[placement]) {
    throw new RangeError(`pairs of ${N} examples cannot be placed ${placement} in batches of ${B}`);
  }
  if (placement === 'random') return { matched: (B - 1) / (N - 1), mismatched: (B - 1) / (N - 1) };
  const matched = placement === 'together' ? 1 : 0;
  return { matched, mismatched: (B - 1 - matched) / (N - 2) };
}
