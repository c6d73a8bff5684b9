import { mean } from 'simple-statistics';
import { assertInteger, assertProbability, count } from '../check.js';
import { absent } from '../estimate.js';
import type { Estimate } from '../estimate.js';
import { hajekEstimate } from './hajek.js';
import type { PairOptions } from './hajek.js';

/**
 * Mean over all pairs of different entities of a symmetric pairwise quantity (inner product, cosine), with its
 * interval over entities. The mean is a U-statistic of order 2, and its pairs are not independent: with the n
 * entities as units, SE = (2 / sqrt(n)) SD(h), h_i the mean of entity i's pairs (Hajek projection; Hoeffding 1948),
 * interval by t with n - 1 degrees of freedom. Pairs taken for independent would cover 64 % instead of 95 %.
 *
 * `products`: `[n, n]` row by row; the diagonal plays no part. Where there is nothing in common (all h_i equal to 0
 * but for noise) the SE is about sqrt(2) too large, so the test against 0 rejects too seldom, never too often.
 *
 * Absent for fewer than 3 entities or a number off the diagonal that is not finite. Throws a RangeError when
 * `products` does not hold n * n numbers, and for a level outside (0, 1).
 *
 * @example allPairsMean([9, 1, 2, 1, 9, 3, 2, 3, 9], 3) // estimate 2, standard error 0.577
 */
export function allPairsMean(products: ArrayLike<number>, n: number, options: PairOptions = {}): Estimate {
  const { level = 0.95 } = options;
  assertProbability('level', level);
  assertInteger('entities', n, 0);
  if (products.length !== n * n) throw new RangeError(`${products.length} products, not ${n} times ${n}`);
  if (n < 3) return absent(`${count(n, 'entity')}, at least 3 needed`);
  const projections = Array.from({ length: n }, (_, i) => {
    let sum = 0;
    for (let j = 0; j < n; j++) if (j !== i) sum += products[i * n + j]! + products[j * n + i]!;
    return sum / (2 * (n - 1));
  });
  return hajekEstimate(
    mean(projections),
    projections.map((h) => 2 * h),
    level,
  );
}
