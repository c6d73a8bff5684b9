import { max, mean, min, sampleStandardDeviation } from 'simple-statistics';

/** Mean and spread of values. */
export interface Moments {
  readonly n: number;
  readonly mean: number;
  /** Sample standard deviation, divisor n - 1; null for one value, 0 when the values differ by rounding only. */
  readonly standardDeviation: number | null;
}

/** Differences of less than so many units of the last place of the largest value are taken for rounding. */
const roundingUnits = 16;

/**
 * Mean and sample standard deviation of finite `values`, `n >= 1`. Values that differ by rounding only, such as
 * 0.1 + 0.2 and 0.3, have spread 0: a t statistic of some 1e15 would be an artefact.
 */
export function moments(values: readonly number[]): Moments {
  const n = values.length;
  if (n === 1) return { n, mean: values[0]!, standardDeviation: null };
  const low = min(values);
  const high = max(values);
  const rounding = roundingUnits * Number.EPSILON * Math.max(Math.abs(low), Math.abs(high));
  const spread = high - low <= rounding ? 0 : sampleStandardDeviation(values);
  return { n, mean: mean(values), standardDeviation: spread };
}
