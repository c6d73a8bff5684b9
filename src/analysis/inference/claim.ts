import { count } from './check.js';
import { studentTUpperTail } from './distributions/student-t.js';
import { bandInterval } from './equivalence.js';
import type { Band } from './equivalence.js';
import { estimateOf } from './estimate.js';
import type { Estimate, EstimateValue, Interval } from './estimate.js';
import type { Ratio } from './ratio.js';
import { meanOverSeeds } from './seeds/mean.js';
import { mostSeeds, seedsNeeded } from './power.js';
import { hedgesCorrection } from './seeds/effect-size.js';
import { tEstimate, tInterval } from './t-interval.js';

/** What a claim predicts of a quantity: above 0, below 0, or too small to matter. */
export type Prediction = 'positive' | 'negative' | 'none';

/** Two-sided error that is spread over the claims of a report, or the predictions of a sweep. */
export const claimAlpha = 0.05;

/** How the data stand to a claim. */
export type Verdict = 'supported' | 'contradicted' | 'undecided';

/** A judged claim. */
export interface Judgement {
  readonly verdict: Verdict;
  /** One sentence with the numbers behind the verdict. */
  readonly reason: string;
  /** Whether the effect is shown to lie within the equivalence band; null without a band or an interval. */
  readonly negligible: boolean | null;
  /**
   * For `undecided`: seeds needed in all to find an effect of the observed size with the wanted power; null for
   * other verdicts, and where it cannot be told or is out of reach.
   */
  readonly seedsNeeded: number | null;
}

/** Options of {@link judgeClaim}. */
export interface JudgeOptions {
  /** Power for {@link Judgement.seedsNeeded}: 0.8 by default. */
  readonly power?: number;
  /** Interval of level 1 - 2 (1 - level) for the band, where it is not a t interval. */
  readonly narrower?: Interval | null;
}

/**
 * Judges a claim on an estimate over seeds. With predicted sign: supported when the interval excludes 0 on the
 * predicted side, contradicted when it excludes 0 on the other side or the effect is shown to lie within `band`,
 * undecided otherwise. A sign that is as predicted is supported even where the effect is within the band; the
 * reason says so and `negligible` is true. Predicting `none`: supported when the effect is shown to lie within the
 * band, contradicted when the interval lies wholly outside it.
 *
 * "Shown within the band" is two one-sided t tests at 1 - level where the interval is a t interval, that is the
 * interval of level 1 - 2 (1 - level); for other intervals it is the interval itself, which asks for more. An
 * estimate over the entities of given models is never more than undecided: it says nothing of the next seed. `band`
 * is null where none has been stated. Throws a RangeError for a band that is none about 0, and for predicting
 * `none` without a band.
 */
export function judgeClaim(
  estimate: Estimate,
  predicted: Prediction,
  band: Band | null,
  options: JudgeOptions = {},
): Judgement {
  const limits = band === null ? null : bandInterval(band);
  if (predicted === 'none' && limits === null) {
    throw new RangeError('the claim of no effect needs an equivalence band');
  }
  if (estimate.kind === 'absent') return undecided(`there is no estimate: ${estimate.reason}`);
  if (estimate.interval === null) {
    return undecided(`there is no interval: ${estimate.missing ?? 'none was made'}`);
  }
  if (estimate.unit !== 'seed') {
    return undecided(`${intervalWords(estimate, estimate.interval)} is not about seeds`);
  }
  const negligible =
    limits === null
      ? null
      : within(options.narrower ?? equivalenceInterval(estimate, estimate.interval), limits);
  const words = intervalWords(estimate, estimate.interval);
  const [verdict, finding] = decide(estimate.interval, predicted, limits, negligible ?? false);
  if (verdict !== 'undecided') {
    return { verdict, reason: sentence(`${words} ${finding}`), negligible, seedsNeeded: null };
  }
  const { power = 0.8 } = options;
  const needed = seedsFor(estimate, power);
  const reason = sentence(`${words} ${finding}${needed.words}`);
  return { verdict, reason, negligible, seedsNeeded: needed.seeds };
}

/**
 * p-value of the finding that an effect with a predicted sign lies within the band, the larger of two one-sided tests: what a
 * claim is contradicted by without an effect on the other side. Null where it cannot be told, and when predicting `none`, whose
 * {@link claimPValue} has it.
 */
export function negligiblePValue(
  estimate: Estimate,
  predicted: Prediction,
  band: Band | null,
): number | null {
  if (predicted === 'none' || band === null) return null;
  return bandPValues(estimate, band)?.inside ?? null;
}

/**
 * p-value of the test that a claim's verdict rests on, to be adjusted for the other claims of a report; null where there
 * is none. For a predicted sign the two-sided test against 0. Predicting `none`: the smaller of the p-values of the two
 * findings there can be, "within the band" (the larger of two one-sided tests) and "outside it" (two-sided against the
 * nearer end); they cannot both be false findings.
 */
export function claimPValue(estimate: Estimate, predicted: Prediction, band: Band | null): number | null {
  if (predicted !== 'none') return isOfSeeds(estimate) ? estimate.pValue : null;
  const tests = band === null ? null : bandPValues(estimate, band);
  return tests === null ? null : Math.min(tests.inside, tests.outside);
}

const isOfSeeds = (estimate: Estimate): estimate is EstimateValue =>
  estimate.kind === 'value' && estimate.interval !== null && estimate.unit === 'seed';

/** Tests of "within the band" and "outside it" by the t distribution; null where there are none. */
function bandPValues(estimate: Estimate, band: Band): { inside: number; outside: number } | null {
  if (!isOfSeeds(estimate)) return null;
  const { estimate: mean, standardError, degreesOfFreedom } = estimate;
  if (standardError === null || degreesOfFreedom === null) return null;
  const [low, high] = bandInterval(band);
  const tail = (distance: number): number => studentTUpperTail(distance / standardError, degreesOfFreedom);
  const inside = Math.max(tail(mean - low), tail(high - mean));
  const outside = Math.min(1, 2 * Math.min(tail(mean - high), tail(low - mean)));
  return { inside, outside };
}

/**
 * The p-value of {@link claimPValue} for predicting that a ratio of averages is within a band: its ends are tested on
 * `numerator - end x denominator`, which no small denominator upsets. Null where a test cannot be made.
 */
export function ratioClaimPValue(values: readonly Ratio[], band: Band): number | null {
  const [low, high] = bandInterval(band);
  const positive = values.reduce((sum, { denominator }) => sum + denominator, 0) > 0;
  const above = (end: number): number | null => {
    const tested = meanOverSeeds(values.map((own) => own.numerator - end * own.denominator));
    if (tested.kind === 'absent' || tested.standardError === null || tested.degreesOfFreedom === null)
      return null;
    const t = tested.estimate / tested.standardError;
    return studentTUpperTail(positive ? t : -t, tested.degreesOfFreedom);
  };
  const [aboveLow, aboveHigh] = [above(low), above(high)];
  if (aboveLow === null || aboveHigh === null) return null;
  const inside = Math.max(aboveLow, 1 - aboveHigh);
  const outside = Math.min(1, 2 * Math.min(aboveHigh, 1 - aboveLow));
  return Math.min(inside, outside);
}

/** A verdict after its p-value was adjusted for the others; null where it rests on no test. */
export function adjustedVerdict(verdict: Verdict, adjusted: number | null): Verdict {
  return adjusted !== null && adjusted > claimAlpha ? 'undecided' : verdict;
}

/** The estimate minus a number that was stated before: interval and test move with it. Only of t intervals. */
export function beyond(estimate: Estimate, threshold: number): Estimate {
  if (estimate.kind === 'absent' || threshold === 0) return estimate;
  const { estimate: mean, standardError, degreesOfFreedom, interval, missing, ...others } = estimate;
  const { kind: _, pValue: __, test: ___, ...common } = others;
  if (interval === null) {
    return estimateOf({ ...common, estimate: mean - threshold, missing: missing ?? 'none was made' });
  }
  if (standardError === null || degreesOfFreedom === null) {
    throw new RangeError(`no threshold for an interval by ${estimate.method}`);
  }
  return tEstimate({ ...common, estimate: mean - threshold, standardError, degreesOfFreedom });
}

function decide(
  [low, high]: Interval,
  predicted: Prediction,
  band: Interval | null,
  negligible: boolean,
): readonly [Verdict, string] {
  const limits = band === null ? '' : intervalText(band);
  if (predicted === 'none') {
    if (negligible) return ['supported', `shows that the effect is within ${limits}, too small to matter`];
    const outside = band !== null && (low > band[1] || high < band[0]);
    return outside
      ? ['contradicted', `lies outside ${limits}: there is an effect`]
      : ['undecided', `neither lies within ${limits} nor outside`];
  }
  const sign = low > 0 ? 'positive' : high < 0 ? 'negative' : null;
  const side = sign === 'positive' ? 'above' : 'below';
  if (sign === predicted) {
    const small = negligible ? `, yet within ${limits}, too small to matter` : '';
    return ['supported', `lies ${side} 0, as predicted${small}`];
  }
  if (sign !== null) return ['contradicted', `lies ${side} 0, against the prediction`];
  if (negligible) return ['contradicted', `shows that the effect is within ${limits}, too small to matter`];
  return ['undecided', 'includes 0'];
}

/** The interval whose lying within the band is the equivalence test at 1 - level. */
function equivalenceInterval(value: EstimateValue, interval: Interval): Interval {
  const { estimate, standardError, degreesOfFreedom, level } = value;
  if (standardError === null || degreesOfFreedom === null) return interval;
  const narrower = 1 - 2 * (1 - level);
  return narrower > 0 ? tInterval(estimate, standardError, degreesOfFreedom, narrower) : interval;
}

function within([low, high]: Interval, [least, most]: Interval): boolean {
  return low > least && high < most;
}

/**
 * Seeds in all that an effect of the observed size needs for `power`; null where it cannot be told or is out of reach.
 */
export function seedsForObserved(estimate: Estimate, power = 0.8): number | null {
  return estimate.kind === 'absent' ? null : seedsFor(estimate, power).seeds;
}

/** Seeds for the observed effect, d = |estimate| / (SE sqrt(n)) with Hedges' correction for few seeds. */
function seedsFor(
  { estimate, standardError, units, level }: EstimateValue,
  power: number,
): { readonly seeds: number | null; readonly words: string } {
  if (standardError === null || standardError === 0 || units < 3) return { seeds: null, words: '' };
  const d = (hedgesCorrection(units - 1) * Math.abs(estimate)) / (standardError * Math.sqrt(units));
  const seeds = seedsNeeded(d, { power, alpha: 1 - level });
  const number = seeds === null ? `more than ${mostSeeds}` : String(seeds);
  const share = percent(power);
  return { seeds, words: `; an effect of the observed size needs ${number} seeds for ${share} power` };
}

function undecided(reason: string): Judgement {
  return { verdict: 'undecided', reason: sentence(reason), negligible: null, seedsNeeded: null };
}

function intervalWords(value: EstimateValue, interval: Interval): string {
  const units = count(value.units, value.unit);
  return `the ${percent(value.level)} interval ${intervalText(interval)} over ${units}`;
}

function intervalText([low, high]: Interval): string {
  return `[${number(low)}, ${number(high)}]`;
}

/** Three significant digits, without a trailing row of zeros. */
function number(value: number): string {
  return String(Number(value.toPrecision(3)));
}

function percent(share: number): string {
  return `${Number((100 * share).toPrecision(4))} %`;
}

function sentence(words: string): string {
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;
}
