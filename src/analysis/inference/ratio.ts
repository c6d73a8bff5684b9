import { assertEqualLength, assertProbability, count, unusable } from './check.js';
import { studentTQuantile, studentTTwoSided } from './distributions/student-t.js';
import { absent, estimateOf, type Estimate } from './estimate.js';
import { moments } from './spread.js';

/** Two numbers of one run whose quotient is asked for. */
export interface Ratio {
  readonly numerator: number;
  readonly denominator: number;
}

/**
 * Ratio of the averages over seeds, `sum numerator / sum denominator`, with Fieller's interval (Fieller 1954): the
 * values theta for which `numerator - theta denominator` has a mean that a t test over seeds does not tell from 0. No
 * seed is left out for the sign of its denominator, as a mean of quotients would need; the quotient of a seed with a
 * small denominator does not outweigh the others.
 *
 * The p-value is that of "the ratio is 0", the t test of the numerators. Without an interval where the denominator is
 * not told from 0: the set of such theta is then not bounded. Absent without seeds, with a number that is not finite,
 * and for denominators that add up to 0. Throws a RangeError when `level` is not between 0 and 1.
 *
 * @example ratioOfMeans([{ numerator: 1, denominator: 2 }, { numerator: 3, denominator: 4 }]).estimate // 2/3
 */
export function ratioOfMeans(values: readonly Ratio[], { level = 0.95 } = {}): Estimate {
  assertProbability('level', level);
  const [tops, bottoms] = [values.map((own) => own.numerator), values.map((own) => own.denominator)];
  const reason = unusable(tops, 1, 'seed') ?? unusable(bottoms, 1, 'seed');
  if (reason !== null) return absent(reason);
  const n = values.length;
  const [a, b] = [moments(tops), moments(bottoms)];
  if (b.mean === 0) return absent('the denominators add up to 0');
  const estimate = a.mean / b.mean;
  const common = { estimate, level, method: 'fieller', unit: 'seed', units: n, seeds: n } as const;
  if (a.standardDeviation === null || b.standardDeviation === null) {
    return estimateOf({ ...common, missing: `${count(1, 'seed')} shows no spread` });
  }
  const covariance = covarianceOf(tops, bottoms, a.mean, b.mean);
  const quantile = studentTQuantile(0.5 * (1 + level), n - 1);
  // Variances of the means.
  const [vaa, vbb, vab] = [a.standardDeviation ** 2 / n, b.standardDeviation ** 2 / n, covariance / n];
  const residual = vaa - 2 * estimate * vab + estimate * estimate * vbb;
  if (!(residual > 16 * Number.EPSILON * (vaa + estimate * estimate * vbb))) {
    return estimateOf({ ...common, missing: `all ${count(n, 'seed')} gave the same ratio` });
  }
  const test =
    vaa > 0 ? ({ pValue: studentTTwoSided(a.mean / Math.sqrt(vaa), n - 1), test: 't' } as const) : {};
  const leading = b.mean ** 2 - quantile ** 2 * vbb;
  if (leading <= 0) {
    return estimateOf({ ...common, ...test, missing: 'the denominator is not told from 0 by these seeds' });
  }
  // theta solves (a - theta b)^2 = t^2 (vaa - 2 theta vab + theta^2 vbb).
  const middle = a.mean * b.mean - quantile ** 2 * vab;
  const last = a.mean ** 2 - quantile ** 2 * vaa;
  const root = Math.sqrt(Math.max(0, middle ** 2 - leading * last));
  return estimateOf({
    ...common,
    ...test,
    standardError: Math.sqrt(residual) / Math.abs(b.mean),
    interval: [(middle - root) / leading, (middle + root) / leading],
  });
}

function covarianceOf(a: readonly number[], b: readonly number[], meanA: number, meanB: number): number {
  assertEqualLength('numerators and denominators', a, b);
  return a.reduce((sum, value, i) => sum + (value - meanA) * (b[i]! - meanB), 0) / (a.length - 1);
}
