import { absent, type Estimate } from './inference/estimate.js';
import { meanOverSeeds } from './inference/seeds/mean.js';

/** The value of a quantity in one run, or why there is none. */
export type SeedValue =
  | { readonly seed: number; readonly value: number; readonly reason: null }
  | { readonly seed: number; readonly value: null; readonly reason: string };

/** What a quantity would be without the effect. */
export type NullValue =
  /** Zero, by the symmetry of what is compared. */
  | { readonly kind: 'zero'; readonly name: string }
  /** Measured in the same runs on pairs that cannot have the effect. */
  | {
      readonly kind: 'measured';
      readonly name: string;
      readonly estimate: Estimate;
      /** Mean over seeds of the quantity minus its null in the same run. */
      readonly difference: Estimate;
    };

/** A number over seeds with what it takes to believe it. */
export interface Quantity {
  readonly name: string;
  /** `accuracy`, `nats`, `1` for a plain number. */
  readonly unit: string;
  readonly estimate: Estimate;
  /** Null for a quantity that is a size, not an effect. */
  readonly null: NullValue | null;
  readonly seeds: readonly SeedValue[];
}

export function seedValue(seed: number, value: number | string): SeedValue {
  return typeof value === 'number' && Number.isFinite(value)
    ? { seed, value, reason: null }
    : { seed, value: null, reason: typeof value === 'string' ? value : `it comes out as ${value}` };
}

/** Mean over the seeds that have a value; absent with the first reason when none has. */
export function overSeeds(values: readonly SeedValue[]): Estimate {
  const present = values.flatMap(({ value }) => (value === null ? [] : [value]));
  if (present.length > 0) return meanOverSeeds(present);
  return absent(values[0]?.reason ?? 'there are no runs');
}

/** A quantity that is a size: what it would be without an effect is no question. */
export function sizeQuantity(name: string, unit: string, seeds: readonly SeedValue[]): Quantity {
  return { name, unit, estimate: overSeeds(seeds), null: null, seeds };
}

/** A quantity that is zero where there is no effect; `nullName` says why. */
export function contrastQuantity(
  name: string,
  unit: string,
  seeds: readonly SeedValue[],
  nullName: string,
): Quantity {
  return { name, unit, estimate: overSeeds(seeds), null: { kind: 'zero', name: nullName }, seeds };
}

/** A quantity with a null that is measured in the same runs, `nullSeeds` in the order of `seeds`. */
export function quantityAgainst(
  name: string,
  unit: string,
  seeds: readonly SeedValue[],
  nullName: string,
  nullSeeds: readonly SeedValue[],
): Quantity {
  const differences = seeds.map(({ seed, value, reason }, i): SeedValue => {
    const other = nullSeeds[i]!;
    if (value === null) return { seed, value: null, reason };
    return other.value === null ? other : seedValue(seed, value - other.value);
  });
  return {
    name,
    unit,
    estimate: overSeeds(seeds),
    null: {
      kind: 'measured',
      name: nullName,
      estimate: overSeeds(nullSeeds),
      difference: overSeeds(differences),
    },
    seeds,
  };
}

/** Two-sided p-value of "the quantity equals its null"; null where there is no such test. */
export function pValueAgainstNull({ estimate, null: own }: Quantity): number | null {
  const tested = own === null ? null : own.kind === 'zero' ? estimate : own.difference;
  return tested === null || tested.kind === 'absent' ? null : tested.pValue;
}
