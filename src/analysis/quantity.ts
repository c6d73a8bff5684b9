import { absent, type Estimate } from './inference/estimate.js';
import { meanOverSeeds } from './inference/seeds/mean.js';

/** The value of a quantity in one run, or why there is none. */
export type SeedValue =
  | { readonly seed: number; readonly value: number; readonly reason: null }
  | { readonly seed: number; readonly value: null; readonly reason: string };

/** A number over seeds with what it takes to believe it. */
export interface Quantity {
  readonly name: string;
  /** `accuracy`, `nats`, `1` for a plain number. */
  readonly unit: string;
  readonly estimate: Estimate;
  /** What the quantity would be without the effect, measured on the same runs. */
  readonly null: { readonly name: string; readonly estimate: Estimate } | null;
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

/** A quantity from its values in each run, and those of its null. */
export function quantityOf(
  name: string,
  unit: string,
  seeds: readonly SeedValue[],
  nullName: string | null = null,
  nullSeeds: readonly SeedValue[] = [],
): Quantity {
  return {
    name,
    unit,
    estimate: overSeeds(seeds),
    null: nullName === null ? null : { name: nullName, estimate: overSeeds(nullSeeds) },
    seeds,
  };
}
