import { unusable } from '../check.js';
import { absent, type Estimate } from '../estimate.js';
import { moments } from '../spread.js';
import { tEstimate } from '../t-interval.js';

/**
 * Difference of the means of two arms that do not share their seeds, with Welch's t interval (Welch 1947) and its
 * degrees of freedom. Absent with fewer than two seeds in an arm, without spread in both, and for a number that is not
 * finite.
 *
 * @example welchDifference([3, 4, 8], [1, 2, 3]) // estimate 3, 2.56 degrees of freedom
 */
export function welchDifference(a: readonly number[], b: readonly number[], level = 0.95): Estimate {
  const reason = unusable(a, 2, 'seed') ?? unusable(b, 2, 'seed');
  if (reason !== null) return absent(reason);
  const parts = [moments([...a]), moments([...b])].map(({ n, mean, standardDeviation }) => ({
    n,
    mean,
    variance: (standardDeviation ?? 0) ** 2 / n,
  }));
  const [first, second] = [parts[0]!, parts[1]!];
  const variance = first.variance + second.variance;
  if (variance === 0) return absent('all seeds of an arm gave the same number');
  return tEstimate({
    estimate: first.mean - second.mean,
    level,
    method: 'welch',
    unit: 'seed',
    units: Math.min(a.length, b.length),
    seeds: a.length + b.length,
    standardError: Math.sqrt(variance),
    degreesOfFreedom: variance ** 2 / parts.reduce((sum, own) => sum + own.variance ** 2 / (own.n - 1), 0),
  });
}
