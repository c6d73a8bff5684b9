import { createStream } from '../../../data/random/streams.js';
import { armsOfContrast, contrastWords, type SweepPrediction } from '../../store/sweep-design.js';
import {
  registrationMarks,
  registrationOf,
  type BegunRun,
  type Registration,
  type SweepRecord,
} from '../../store/sweep-record.js';
import {
  adjustedVerdict,
  claimAlpha,
  claimPValue,
  judgeClaim,
  negligiblePValue,
  seedsForObserved,
  type Judgement,
  type Verdict,
} from '../inference/claim.js';
import type { Estimate } from '../inference/estimate.js';
import { holmOfDisjoint } from '../inference/multiplicity/holm.js';
import { minimalDetectableEffect, powerOf } from '../inference/power.js';
import { effectSize } from '../inference/seeds/effect-size.js';
import { signFlipTest } from '../inference/seeds/sign-flip.js';
import type { SeedValue } from '../quantity.js';
import { contrastOf, type ArmValues, type Contrasted } from './contrast.js';

/** How the runs stand to a prediction. */
export type SweepVerdictName = 'supports' | 'contradicts' | 'inconclusive';

const names = {
  supported: 'supports',
  contradicted: 'contradicts',
  undecided: 'inconclusive',
} as const satisfies Record<Verdict, SweepVerdictName>;

/** How verdicts come about, for people. */
export const verdictRule =
  'supports: the interval over seeds excludes 0 on the predicted side, or lies within the band where none was predicted, and ' +
  `the p-value, adjusted by Holm for all predictions of the file, is at most ${claimAlpha}; contradicts: the same on the ` +
  'other side, or an effect shown to lie within the band, with the p-value of that; otherwise inconclusive';

/** What the seeds that were run can find. */
export interface SweepPower {
  /** Hedges' g of the contrast: in standard deviations over seeds. */
  readonly effect: Estimate;
  /** Of the two-sided t test with as many seeds, for an effect of the observed size; null where it cannot be told. */
  readonly power: number | null;
  /** Seeds that an effect of the observed size needs for 80 % power; null where that cannot be told or is out of reach. */
  readonly seedsNeeded: number | null;
  /** Smallest contrast, in its unit, that as many seeds find with 80 % power; null below two seeds or without spread. */
  readonly smallest: number | null;
}

/** A prediction and what the runs say to it. */
export interface SweepVerdict {
  readonly prediction: SweepPrediction;
  /** What was compared, in a few words. */
  readonly contrast: string;
  /** Of the quantity; empty where no run has it. */
  readonly label: string;
  /** Of the estimate. */
  readonly unit: string;
  readonly estimate: Estimate;
  /** What the contrast would be without an effect. */
  readonly null: string;
  readonly verdict: SweepVerdictName;
  readonly reason: string;
  /** Whether the contrast is shown to lie within the band; null without a band or an interval. */
  readonly negligible: boolean | null;
  readonly pValue: number | null;
  /** By Holm over the predictions of the file. */
  readonly adjustedPValue: number | null;
  /** Of the sign flips over seeds; null where seeds are not paired. */
  readonly signFlipsPValue: number | null;
  readonly seeds: Contrasted['seeds'];
  readonly left: readonly number[];
  readonly power: SweepPower;
  readonly registration: Registration;
}

/** What verdicts are made of. */
export interface JudgedSweep {
  readonly predictions: readonly SweepPrediction[];
  readonly record: SweepRecord;
  readonly arms: readonly {
    readonly name: string;
    readonly begun: readonly BegunRun[];
    readonly measured: readonly {
      readonly quantity: string;
      readonly label: string;
      readonly unit: string;
      readonly compared: readonly SeedValue[];
    }[];
  }[];
}

/** Judges the predictions of a sweep; their p-values are adjusted for each other. */
export function judgeSweep({ predictions, record, arms }: JudgedSweep): SweepVerdict[] {
  const found = predictions.map((prediction) => {
    const values: ArmValues = new Map(
      arms.map(({ name, measured }) => [
        name,
        measured.find(({ quantity }) => quantity === prediction.quantity)?.compared ?? [],
      ]),
    );
    const contrasted = contrastOf(prediction, values);
    const { predicted, band } = prediction;
    return {
      prediction,
      contrasted,
      judgement: judgeClaim(contrasted.estimate, predicted, band),
      pValues: [
        claimPValue(contrasted.estimate, predicted, band),
        negligiblePValue(contrasted.estimate, predicted, band),
      ] as const,
    };
  });
  // That there is no effect, and that it is larger than the band, cannot both be true.
  const adjusted = holmOfDisjoint(found.map(({ pValues }) => pValues));
  return found.map(({ prediction, contrasted, judgement, pValues }, i): SweepVerdict => {
    const own = arms
      .flatMap(({ measured }) => measured)
      .find((each) => each.quantity === prediction.quantity);
    const { estimate, seeds, left } = contrasted;
    const test = testBehind(judgement, prediction, adjusted[i]!);
    const adjustedPValue = adjusted[i]![test] ?? null;
    const verdict = adjustedVerdict(judgement.verdict, adjustedPValue);
    const compared = armsOfContrast(prediction.contrast);
    const begun = arms.filter(({ name }) => compared.includes(name)).flatMap((arm) => arm.begun);
    const registration = registrationOf(prediction, record, compared, begun);
    const flips =
      seeds.length < 2
        ? null
        : signFlipTest(
            seeds.map(({ value }) => value),
            createStream(0, `analysis/sweep/verdicts/${prediction.id}`),
          );
    return {
      prediction,
      contrast: contrastWords(prediction.contrast),
      label: own?.label ?? '',
      unit: unitOf(prediction, own?.unit ?? ''),
      estimate,
      null: prediction.contrast.kind === 'trend' ? '0, the same in all arms' : '0, the same in both arms',
      verdict: names[verdict],
      reason: [
        judgement.reason,
        ...(verdict === judgement.verdict ? [] : [`By itself it would be ${names[judgement.verdict]}.`]),
        ...(left.length === 0 ? [] : [`Seeds that not all arms have: ${left.join(', ')}.`]),
      ].join(' '),
      negligible: judgement.negligible,
      pValue: pValues[test],
      adjustedPValue,
      signFlipsPValue: flips?.kind === 'value' ? flips.pValue : null,
      seeds,
      left,
      power: powerOfContrast(prediction, contrasted),
      registration,
    };
  });
}

/** Which of its two tests a verdict rests on: 0 that of an effect, 1 that of one within the band. */
function testBehind(
  { verdict, negligible }: Judgement,
  { predicted }: SweepPrediction,
  [effect, within]: readonly (number | null)[],
): 0 | 1 {
  if (predicted === 'none' || verdict !== 'contradicted' || negligible !== true) return 0;
  return (within ?? 1) <= (effect ?? 1) ? 1 : 0;
}

/** What is said of a verdict whose prediction is younger than its runs. */
export const markOf = ({ registration }: Pick<SweepVerdict, 'registration'>): string | null =>
  registrationMarks[registration];

function unitOf({ contrast }: SweepPrediction, unit: string): string {
  return contrast.kind === 'trend' ? `${unit} per ${contrast.scale === 'log' ? 'doubling' : 'unit'}` : unit;
}

/** Power of the paired t test over seeds; of contrasts that are not paired nothing is said. */
function powerOfContrast({ predicted }: SweepPrediction, { estimate, seeds }: Contrasted): SweepPower {
  const effect = effectSize(seeds.map(({ value }) => value));
  const n = seeds.length;
  const error = estimate.kind === 'value' ? estimate.standardError : null;
  return {
    effect,
    power: effect.kind === 'absent' ? null : powerOf(effect.estimate, n),
    seedsNeeded: n === 0 || predicted === 'none' ? null : seedsForObserved(estimate),
    smallest:
      n < 2 || error === null || error === 0 ? null : minimalDetectableEffect(n) * error * Math.sqrt(n),
  };
}
