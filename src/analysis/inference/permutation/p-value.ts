import type { Alternative } from '../test-result.js';

/** How often a permuted statistic is as extreme as the observed one. */
export interface Tally {
  /** Number of permuted statistics at least as extreme. */
  readonly extreme: number;
  /** Number of permutations. */
  readonly total: number;
  /** Whether these are all permutations, the identity among them, or random draws. */
  readonly exact: boolean;
}

/**
 * extreme / total of a full enumeration; (1 + extreme) / (1 + total) of random draws, since the observed
 * arrangement is one more draw from the null: without the 1 the test rejects too often and p can be 0 (Phipson and
 * Smyth 2010).
 */
export function permutationPValue({ extreme, total, exact }: Tally): number {
  return exact ? extreme / total : (1 + extreme) / (1 + total);
}

/** How extreme a statistic that is centred at 0 under the null is, as a number: larger is more extreme. */
export function extremity(statistic: number, alternative: Alternative): number {
  if (alternative === 'two-sided') return Math.abs(statistic);
  return alternative === 'greater' ? statistic : -statistic;
}

/**
 * Rounding allowance for comparing sums of the same numbers taken in different orders, `scale` being the sum of
 * their sizes: equal statistics must count as equal, or p comes out too small.
 */
export function tieTolerance(scale: number): number {
  return 1e-12 * scale;
}
