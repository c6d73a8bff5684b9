import { assertProbability } from '../check.js';
import { findRootAbove } from '../root.js';

const logSqrtTwoPi = 0.5 * Math.log(2 * Math.PI);

/** Density of N(0, 1) at `x`. */
function normalDensity(x: number): number {
  return Math.exp(-0.5 * x * x - logSqrtTwoPi);
}

/**
 * P(Z <= x) for Z from N(0, 1). Below 2 in size by the series Phi(x) = 1/2 + phi(x) (x + x^3/3 + x^5/(3*5) + ...)
 * (Marsaglia, "Evaluating the normal distribution", 2004), beyond by the continued fraction of Mills' ratio
 * (DLMF 7.9.3); relative error below 1e-13 in both tails. `x` may be infinite.
 *
 * @example normalCdf(1.959963984540054) // 0.975
 */
export function normalCdf(x: number): number {
  if (x <= -2) return upperTail(-x);
  if (x >= 2) return 1 - upperTail(x);
  let term = x;
  let sum = x;
  for (let k = 3; ; k += 2) {
    term *= (x * x) / k;
    if (sum + term === sum) break;
    sum += term;
  }
  return 0.5 + normalDensity(x) * sum;
}

/** P(Z > x) for x >= 2. At 2, the slowest, 64 levels of the fraction leave 1e-17. */
function upperTail(x: number): number {
  // Beyond, the tail is smaller than any double.
  if (x > 39) return 0;
  let fraction = x;
  for (let level = 64; level >= 1; level--) fraction = x + level / fraction;
  return normalDensity(x) / fraction;
}

/**
 * The x with P(Z <= x) = `p`, error about 1e-14, relative in the tails. Throws a RangeError unless 0 < `p` < 1.
 *
 * @example normalQuantile(0.975) // 1.959963984540054
 */
export function normalQuantile(p: number): number {
  assertProbability('p', p);
  if (p === 0.5) return 0;
  const tail = Math.min(p, 1 - p);
  // The logarithm of the tail is smooth and steep everywhere.
  const x = findRootAbove((x) => Math.log(normalCdf(-x) / tail), 0, 1);
  return p < 0.5 ? -x : x;
}
