import type { RandomStream } from '../../../../data/random/streams.js';
import type { Estimate } from '../estimate.js';
import type { PowerOptions } from '../power.js';
import { minimalDetectableEffect, powerOf, seedsNeeded } from '../power.js';
import type { TestResult } from '../test-result.js';
import { effectSize } from './effect-size.js';
import { differences, meanOverSeeds } from './mean.js';
import type { IntervalOptions } from './mean.js';
import { signFlipTest } from './sign-flip.js';
import { wilcoxonSignedRank } from './wilcoxon.js';

/** Everything that is said of a paired difference over seeds. */
export interface PairedComparison {
  /** Mean difference, t interval, t test. */
  readonly difference: Estimate;
  /** Exact (Monte Carlo beyond 14 seeds) test without the assumption of normality. */
  readonly signFlip: TestResult;
  readonly wilcoxon: TestResult;
  /** Hedges' g, in standard deviations of the differences. */
  readonly effectSize: Estimate;
  /** Power of the t test with so many seeds for the observed g; null where there is none. */
  readonly power: number | null;
  /** Seeds needed for the observed g at the wanted power; null where it cannot be told or is out of reach. */
  readonly seedsNeeded: number | null;
  /** Smallest effect, in standard deviations, found with the wanted power by so many seeds; null below 2 seeds. */
  readonly minimalDetectableEffect: number | null;
}

/**
 * Compares two arms over the same seeds. `treated`, `control`: `[seed]`, entry i of both from the same seed (see
 * `pairBySeed`). Below 15 seeds read `signFlip` or `wilcoxon` for the p-value; the p-value of `difference` is the
 * one that agrees with its interval. Throws a RangeError when the two differ in length, or for a probability
 * outside (0, 1).
 */
export function pairedComparison(
  treated: ArrayLike<number>,
  control: ArrayLike<number>,
  stream: RandomStream,
  options: IntervalOptions & PowerOptions & { readonly draws?: number } = {},
): PairedComparison {
  const values = differences(treated, control);
  const n = values.length;
  const g = effectSize(values, options);
  const alpha = options.alpha === undefined ? {} : { alpha: options.alpha };
  return {
    difference: meanOverSeeds(values, options),
    signFlip: signFlipTest(values, stream, options.draws === undefined ? {} : { draws: options.draws }),
    wilcoxon: wilcoxonSignedRank(values),
    effectSize: g,
    power: g.kind === 'absent' ? null : powerOf(g.estimate, n, alpha),
    seedsNeeded: g.kind === 'absent' ? null : seedsNeeded(g.estimate, options),
    minimalDetectableEffect: n < 2 ? null : minimalDetectableEffect(n, options),
  };
}
