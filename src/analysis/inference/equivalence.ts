import { assertProbability, count, unusable } from './check.js';
import { studentTUpperTail } from './distributions/student-t.js';
import { absent } from './estimate.js';
import type { Absent, Estimate, Interval } from './estimate.js';
import { meanOverSeeds } from './seeds/mean.js';

/**
 * What is too small to matter, stated before looking, in the unit of the quantity: `[low, high]` about 0, or one
 * number for `[-band, band]`.
 */
export type Band = number | Interval;

/** `band` as an interval. Throws a RangeError unless low < 0 < high, both finite. */
export function bandInterval(band: Band): Interval {
  const [low, high] = typeof band === 'number' ? [-band, band] : band;
  if (!(low < 0 && high > 0 && Number.isFinite(high - low))) {
    throw new RangeError(`no equivalence band about 0: [${low}, ${high}]`);
  }
  return [low, high];
}

/** Options of {@link equivalenceTest}. */
export interface EquivalenceOptions {
  /** Significance level of each one-sided test: 0.05 by default. */
  readonly alpha?: number;
}

/** The outcome of two one-sided tests. */
export interface EquivalenceValue {
  readonly kind: 'value';
  /** The mean difference with its interval of level 1 - 2 alpha: inside the band exactly when `equivalent`. */
  readonly difference: Estimate;
  readonly band: Interval;
  /** p of "the true value is at most the band's low end". */
  readonly pLow: number;
  /** p of "the true value is at least the band's high end". */
  readonly pHigh: number;
  /** The larger of the two: p of "the effect matters". */
  readonly pValue: number;
  readonly alpha: number;
  /** pValue < alpha: the effect is shown to be too small to matter. */
  readonly equivalent: boolean;
}

/**
 * Equivalence test of paired seed differences by two one-sided t tests (Schuirmann 1987). `values`: `[seed]`. "Not
 * significant" never shows that an effect is gone; `equivalent` does, within the stated `band`.
 *
 * Absent for fewer than 2 seeds, no spread, or a number that is not finite. Throws a RangeError for a band that is
 * none and for an alpha that is not between 0 and 0.5.
 *
 * @example equivalenceTest([0.01, -0.02, 0, 0.01, -0.01], 0.05).equivalent // true, p 0.00059
 */
export function equivalenceTest(
  values: ArrayLike<number>,
  band: Band,
  options: EquivalenceOptions = {},
): EquivalenceValue | Absent {
  const { alpha = 0.05 } = options;
  assertProbability('2 alpha', 2 * alpha);
  const [low, high] = bandInterval(band);
  const reason = unusable(values, 2, 'seed');
  if (reason !== null) return absent(reason);
  const difference = meanOverSeeds(values, { level: 1 - 2 * alpha });
  if (difference.kind === 'absent') return difference;
  const { estimate, standardError, degreesOfFreedom } = difference;
  if (standardError === null || degreesOfFreedom === null) {
    return absent(`all ${count(values.length, 'seed')} gave the same number`);
  }
  const pLow = studentTUpperTail((estimate - low) / standardError, degreesOfFreedom);
  const pHigh = studentTUpperTail((high - estimate) / standardError, degreesOfFreedom);
  const pValue = Math.max(pLow, pHigh);
  return {
    kind: 'value',
    difference,
    band: [low, high],
    pLow,
    pHigh,
    pValue,
    alpha,
    equivalent: pValue < alpha,
  };
}
