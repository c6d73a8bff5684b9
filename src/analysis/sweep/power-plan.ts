import { armsOfContrast, type SweepPrediction } from '../../store/sweep-design.js';
import { claimAlpha } from '../inference/claim.js';
import type { Estimate } from '../inference/estimate.js';
import { powerOf, seedsNeeded } from '../inference/power.js';
import type { SweepVerdict } from './verdicts.js';

/** What a prediction needs, by what a pilot found. */
export interface PlannedPower {
  readonly prediction: string;
  readonly contrast: string;
  /** Seeds of the pilot. */
  readonly pilot: number;
  /** Hedges' g in the pilot, with its interval. */
  readonly effect: Estimate;
  /** Seeds that the sweep file gives to all arms of the contrast. */
  readonly planned: number;
  /** Power of the planned seeds at the level 0.05, and at the least level that Holm leaves; null where there is none. */
  readonly power: number | null;
  readonly powerCorrected: number | null;
  /** Seeds for 80 % power at these levels; null where that cannot be told or is out of reach. */
  readonly needed: number | null;
  readonly neededCorrected: number | null;
}

/**
 * Seeds that the predictions of a sweep need, by the effects of a pilot: of paired contrasts with a predicted sign. Holm's
 * correction leaves the first of n predictions the level 0.05 / n, which is what the corrected columns ask for.
 *
 * @param seedsOf seeds of an arm in the sweep file
 */
export function plannedPower(
  verdicts: readonly SweepVerdict[],
  seedsOf: (arm: string) => readonly number[],
): PlannedPower[] {
  const corrected = claimAlpha / Math.max(1, verdicts.length);
  return verdicts.map(({ prediction, contrast, seeds, power: { effect } }): PlannedPower => {
    const planned = commonSeeds(prediction, seedsOf);
    const g = effect.kind === 'value' && prediction.predicted !== 'none' ? effect.estimate : null;
    const power = (alpha: number): number | null =>
      g === null || planned < 2 ? null : powerOf(g, planned, { alpha });
    return {
      prediction: prediction.id,
      contrast,
      pilot: seeds.length,
      effect,
      planned,
      power: power(claimAlpha),
      powerCorrected: power(corrected),
      needed: g === null ? null : seedsNeeded(g, { alpha: claimAlpha }),
      neededCorrected: g === null ? null : seedsNeeded(g, { alpha: corrected }),
    };
  });
}

function commonSeeds({ contrast }: SweepPrediction, seedsOf: (arm: string) => readonly number[]): number {
  const [first, ...others] = armsOfContrast(contrast).map((arm) => new Set(seedsOf(arm)));
  return [...(first ?? [])].filter((seed) => others.every((own) => own.has(seed))).length;
}
