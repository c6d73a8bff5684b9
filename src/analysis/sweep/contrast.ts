import type { SweepContrast, SweepPrediction } from '../../store/sweep-design.js';
import { absent, type Estimate } from '../inference/estimate.js';
import { meanOverSeeds } from '../inference/seeds/mean.js';
import { pairBySeed } from '../inference/seeds/pair-by-seed.js';
import { welchDifference } from '../inference/seeds/welch.js';
import { leastSquares } from '../inference/trend/least-squares.js';
import type { SeedValue } from '../quantity.js';

/** A contrast of a quantity between arms, with what it is made of. */
export interface Contrasted {
  readonly estimate: Estimate;
  /** A difference or slope for each seed that all arms have; empty where seeds are not paired. */
  readonly seeds: readonly { readonly seed: number; readonly value: number }[];
  /** Seeds that some arm has and that take no part. */
  readonly left: readonly number[];
}

/** Values of the arms by name: `[seed]`. */
export type ArmValues = ReadonlyMap<string, readonly SeedValue[]>;

const presentIn = (values: readonly SeedValue[]): Map<number, number> =>
  new Map(values.flatMap(({ seed, value }) => (value === null ? [] : [[seed, value] as const])));

/**
 * The contrast of a prediction. Paired by seed it is the mean over seeds of each seed's own difference or least-squares
 * slope, with the t interval over seeds; else Welch's difference, or the slope over all runs. On a log scale a slope is per
 * doubling.
 */
export function contrastOf(
  { contrast, paired }: Pick<SweepPrediction, 'contrast' | 'paired'>,
  arms: ArmValues,
): Contrasted {
  const valuesOf = (arm: string): Map<number, number> => presentIn(arms.get(arm) ?? []);
  if (contrast.kind === 'trend') return trendOf(contrast, paired, valuesOf);
  const [arm, minus] = [valuesOf(contrast.arm), valuesOf(contrast.minus)];
  if (!paired) {
    return { estimate: welchDifference([...arm.values()], [...minus.values()]), seeds: [], left: [] };
  }
  const { seeds, treated, control, unpaired } = pairBySeed(arm, minus);
  const differences = seeds.map((seed, i) => ({ seed, value: treated[i]! - control[i]! }));
  return { estimate: overPaired(differences), seeds: differences, left: unpaired };
}

function trendOf(
  { arms, scale }: Extract<SweepContrast, { kind: 'trend' }>,
  paired: boolean,
  valuesOf: (arm: string) => Map<number, number>,
): Contrasted {
  const places = arms.map(({ arm, at }) => ({
    at: scale === 'log' ? Math.log2(at) : at,
    values: valuesOf(arm),
  }));
  if (!paired) {
    const rows = places.flatMap(({ at, values }) => Array.from(values.values(), (value) => ({ at, value })));
    return { estimate: slopeOf(rows), seeds: [], left: [] };
  }
  const all = new Set(places.flatMap(({ values }) => [...values.keys()]));
  const whole = [...all].filter((seed) => places.every(({ values }) => values.has(seed)));
  const slopes = whole.flatMap((seed) => {
    const slope = slopeOf(places.map(({ at, values }) => ({ at, value: values.get(seed)! })));
    return slope.kind === 'absent' ? [] : [{ seed, value: slope.estimate }];
  });
  return {
    estimate: overPaired(slopes),
    seeds: slopes,
    left: [...all].filter((seed) => !slopes.some((own) => own.seed === seed)),
  };
}

function slopeOf(rows: readonly { readonly at: number; readonly value: number }[]): Estimate {
  const response = rows.map(({ value }) => value);
  // Of a constant the fit has no spread to explain, and the slope is 0.
  if (response.length > 0 && response.every((value) => value === response[0])) {
    return meanOverSeeds([0]);
  }
  const fit = leastSquares(response, [{ name: 'axis', values: rows.map(({ at }) => at) }]);
  return fit.kind === 'absent' ? fit : fit.coefficients[0]!.effect;
}

function overPaired(values: readonly { readonly value: number }[]): Estimate {
  return values.length === 0
    ? absent('no seed has a value in every arm')
    : meanOverSeeds(values.map(({ value }) => value));
}
