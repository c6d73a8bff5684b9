import { assertInteger, assertProbability } from './check.js';
import { normalQuantile } from './distributions/normal.js';
import { noncentralTCdf } from './distributions/noncentral-t.js';
import { studentTQuantile } from './distributions/student-t.js';
import { findRootAbove } from './root.js';

/** What a planned experiment is to reach. */
export interface PowerOptions {
  /** Probability of a significant result, 0.8 by default. */
  readonly power?: number;
  /** Two-sided significance level, 0.05 by default. */
  readonly alpha?: number;
}

/** More seeds than this are reported as out of reach. */
export const mostSeeds = 100_000;

/**
 * Power of the two-sided paired (one-sample) t test over `n` seeds when the true effect is `d` standard deviations
 * of the differences: P(|T| > t_{1 - alpha/2, n-1}) for T noncentral with d sqrt(n). Throws a RangeError unless `n`
 * is an integer of at least 2 and `alpha` between 0 and 1.
 *
 * @example powerOf(1, 10) // 0.803
 */
export function powerOf(d: number, n: number, { alpha = 0.05 }: Omit<PowerOptions, 'power'> = {}): number {
  assertInteger('seeds', n, 2);
  assertProbability('alpha', alpha);
  return powerBeyond(studentTQuantile(1 - 0.5 * alpha, n - 1), Math.abs(d), n);
}

function powerBeyond(critical: number, d: number, n: number): number {
  const delta = d * Math.sqrt(n);
  // The upper tail as P(-T < -critical), which keeps its digits where it is small.
  return noncentralTCdf(-critical, n - 1, -delta) + noncentralTCdf(-critical, n - 1, delta);
}

/**
 * Seeds needed by the rule n = (z_{1-alpha/2} + z_power)^2 / d^2 + z_{1-alpha/2}^2 / 2, rounded up: 7.85 / d^2 +
 * 1.9 for 80 % power at 5 % (Guenther 1981). Null for d = 0 and beyond {@link mostSeeds}.
 *
 * @example seedsNeededByRule(0.5) // 34
 */
export function seedsNeededByRule(
  d: number,
  { power = 0.8, alpha = 0.05 }: PowerOptions = {},
): number | null {
  assertProbability('power', power);
  assertProbability('alpha', alpha);
  const z = normalQuantile(1 - 0.5 * alpha);
  const n = Math.max(2, Math.ceil((z + normalQuantile(power)) ** 2 / (d * d) + 0.5 * z * z));
  return n <= mostSeeds ? n : null;
}

/**
 * The smallest number of seeds, at least 2, with which the two-sided paired t test finds an effect of `d` standard
 * deviations of the differences with probability `power`. Null for d = 0 and beyond {@link mostSeeds}. Throws a
 * RangeError when `power` or `alpha` is not between 0 and 1.
 *
 * @example seedsNeeded(1) // 10
 */
export function seedsNeeded(d: number, options: PowerOptions = {}): number | null {
  const { power = 0.8, alpha = 0.05 } = options;
  const guess = seedsNeededByRule(d, options);
  if (guess === null) return null;
  const reaches = (n: number): boolean => powerOf(d, n, { alpha }) >= power;
  let n = guess;
  while (n > 2 && reaches(n - 1)) n--;
  while (!reaches(n)) n++;
  return n;
}

/**
 * The smallest effect, in standard deviations of the differences, that the two-sided paired t test over `n` seeds
 * finds with probability `power`. Throws a RangeError unless `n` is an integer of at least 2, and unless
 * 0 < alpha < power < 1.
 *
 * @example minimalDetectableEffect(10) // 0.9960
 */
export function minimalDetectableEffect(n: number, options: PowerOptions = {}): number {
  const { power = 0.8, alpha = 0.05 } = options;
  assertInteger('seeds', n, 2);
  assertProbability('alpha', alpha);
  assertProbability('power', power);
  if (power <= alpha) throw new RangeError(`power ${power} is no more than alpha ${alpha}`);
  const critical = studentTQuantile(1 - 0.5 * alpha, n - 1);
  return findRootAbove((d) => power - powerBeyond(critical, d, n), 0, 1);
}
