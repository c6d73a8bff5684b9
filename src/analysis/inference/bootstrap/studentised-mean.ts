import type { RandomStream } from '../../../../data/random/streams.js';
import { quantileSorted } from 'simple-statistics';
import { assertInteger, assertProbability, unusable } from '../check.js';
import { absent, estimateOf } from '../estimate.js';
import type { Estimate } from '../estimate.js';
import { moments } from '../spread.js';
import type { IntervalOptions } from '../seeds/mean.js';
import { fewestUnits, tooFew } from './bootstrap.js';
import { plainDeviate } from './expansion.js';

/** Options of {@link studentisedMean}. */
export interface StudentisedOptions extends IntervalOptions {
  /** Number of resamples, 2000 by default. */
  readonly draws?: number;
}

/**
 * Mean over seeds with the studentised bootstrap interval (bootstrap-t; Efron 1982, Hall 1988): [mean - q_high SE,
 * mean - q_low SE], q the quantiles of t* = (mean* - mean) / SE* over resamples of seeds. Unlike t it follows
 * skewness; it is the one to take for clearly skewed seed values. Resamples of one value only, whose SE* is 0,
 * count as infinitely far out. `values`: `[seed]`.
 *
 * No interval with fewer than 5 seeds or no spread. Absent for no seeds or a number that is not finite.
 * Throws a RangeError for a level outside (0, 1) or draws that are no positive integer.
 */
export function studentisedMean(
  values: ArrayLike<number>,
  stream: RandomStream,
  options: StudentisedOptions = {},
): Estimate {
  const { draws = 2000, level = 0.95 } = options;
  assertProbability('level', level);
  assertInteger('draws', draws, 1);
  const reason = unusable(values, 1, 'seed');
  if (reason !== null) return absent(reason);
  const numbers = Array.from(values);
  const { n, mean, standardDeviation } = moments(numbers);
  const common = { estimate: mean, level, method: 'bootstrap-t', unit: 'seed', units: n, seeds: n } as const;
  const missing = tooFew(n, 'seed', draws, n < fewestUnits ? null : plainDeviate(level));
  if (missing !== null || standardDeviation === null) return estimateOf({ ...common, missing });
  const standardError = standardDeviation / Math.sqrt(n);
  if (standardError === 0) {
    return estimateOf({ ...common, standardError, missing: 'all seeds gave the same number' });
  }
  const resampling = { draws, streamState: stream.state() };
  const tail = 0.5 * (1 - level);
  const sorted = studentised(numbers, mean, draws, stream);
  const [low, high] = [quantileSorted(sorted, tail), quantileSorted(sorted, 1 - tail)];
  if (!Number.isFinite(low) || !Number.isFinite(high)) {
    return estimateOf({ ...common, standardError, resampling, missing: 'too many resamples without spread' });
  }
  return estimateOf({
    ...common,
    standardError,
    resampling,
    interval: [mean - high * standardError, mean - low * standardError],
  });
}

/** `[draws]` t* of each resample, ascending. */
function studentised(
  values: readonly number[],
  centre: number,
  draws: number,
  stream: RandomStream,
): number[] {
  const n = values.length;
  const deviations = values.map((value) => value - centre);
  const t = new Float64Array(draws);
  for (let draw = 0; draw < draws; draw++) {
    let sum = 0;
    let squares = 0;
    for (let k = 0; k < n; k++) {
      const deviation = deviations[stream.integer(n)]!;
      sum += deviation;
      squares += deviation * deviation;
    }
    const variance = (squares - (sum * sum) / n) / (n - 1);
    const floor = (1e-12 * squares) / n;
    const mean = sum / n;
    t[draw] = variance > floor ? mean / Math.sqrt(variance / n) : Math.sign(mean) * Infinity;
  }
  return Array.from(t.sort());
}
