import { mean } from 'simple-statistics';
import type { RandomStream } from '../../data/random/streams.js';
import { hierarchicalMean } from './inference/bootstrap/hierarchical-mean.js';
import { absent, type Estimate } from './inference/estimate.js';
import { tagFlipTest } from './inference/permutation/tag-flip.js';
import { meanOverSeeds } from './inference/seeds/mean.js';
import type { TestResult } from './inference/test-result.js';

/** What a run gives for a quantity: a number, one for each entity (the run's is their mean), or why there is none. */
export type RunValue = number | readonly number[] | string;

/** The value of a quantity in one run, or why there is none. */
export type SeedValue =
  | {
      readonly seed: number;
      readonly value: number;
      readonly reason: null;
      /** Values of the entities whose mean it is. */
      readonly entities?: readonly number[];
    }
  | { readonly seed: number; readonly value: null; readonly reason: string };

/** What a quantity would be without the effect. */
export type NullValue =
  /** Zero, by the symmetry of what is compared. */
  | { readonly kind: 'zero'; readonly name: string }
  /** Measured in the same runs on pairs that cannot have the effect. */
  | ({ readonly kind: 'measured' } & Control);

/** Another value that a quantity is held against. */
export interface Control {
  readonly name: string;
  readonly estimate: Estimate;
  /** Mean over seeds of the quantity minus this in the same run (or, for another arm, the same seed). */
  readonly difference: Estimate;
}

/** What the entities within the seeds say, beside the interval over seeds. */
export interface EntityLevel {
  /** Interval of the hierarchical bootstrap: seeds, then entities; with one seed, over its entities alone. */
  readonly bootstrap: Estimate;
  /** Permutation test by flips of the tag, entity by entity: about these models, not the next seed. */
  readonly tagFlips: TestResult;
}

/** A number over seeds with what it takes to believe it. */
export interface Quantity {
  readonly name: string;
  /** `accuracy`, `nats`, `1` for a plain number. */
  readonly unit: string;
  readonly estimate: Estimate;
  /** Null for a quantity that is a size, not an effect. */
  readonly null: NullValue | null;
  /** Further nulls. */
  readonly controls: readonly Control[];
  /** Null where runs give no values of entities. */
  readonly entityLevel: EntityLevel | null;
  /** p-value against the null, adjusted for the other quantities of its family; null where there is none. */
  readonly adjustedPValue: number | null;
  readonly seeds: readonly SeedValue[];
}

export function seedValue(seed: number, value: RunValue): SeedValue {
  if (typeof value === 'string') return { seed, value: null, reason: value };
  const entities = typeof value === 'number' ? null : value;
  if (entities?.length === 0) return { seed, value: null, reason: 'there is no entity' };
  const number = entities === null ? (value as number) : mean([...entities]);
  if (!Number.isFinite(number)) return { seed, value: null, reason: `it comes out as ${number}` };
  return { seed, value: number, reason: null, ...(entities === null ? {} : { entities }) };
}

/** Mean over the seeds that have a value; absent with the first reason when none has. */
export function overSeeds(values: readonly SeedValue[]): Estimate {
  const present = values.flatMap(({ value }) => (value === null ? [] : [value]));
  if (present.length > 0) return meanOverSeeds(present);
  return absent(values[0]?.reason ?? 'there are no runs');
}

/** The parts of a quantity; values are `[run]`, those of nulls and controls in the same order. */
export interface QuantityParts {
  readonly name: string;
  readonly unit: string;
  readonly values: readonly SeedValue[];
  readonly null:
    | null
    | { readonly kind: 'zero'; readonly name: string }
    | { readonly kind: 'measured'; readonly name: string; readonly values: readonly SeedValue[] };
  readonly controls: readonly { readonly name: string; readonly values: readonly SeedValue[] }[];
}

/** Puts a quantity together; `stream` gives the draws of bootstrap and permutations. */
export function makeQuantity(
  { name, unit, values, null: own, controls }: QuantityParts,
  stream: () => RandomStream,
): Quantity {
  return {
    name,
    unit,
    estimate: overSeeds(values),
    null: own?.kind === 'measured' ? { kind: 'measured', ...controlOf(own.name, values, own.values) } : own,
    controls: controls.map((control) => controlOf(control.name, values, control.values)),
    entityLevel: entityLevelOf(values, stream),
    adjustedPValue: null,
    seeds: values,
  };
}

/** A control whose values belong to the same runs or seeds as the quantity's, one by one. */
export function controlOf(
  name: string,
  values: readonly SeedValue[],
  against: readonly SeedValue[],
): Control {
  const differences = values.map(({ seed, value, reason }, i): SeedValue => {
    const other = against[i]!;
    if (value === null) return { seed, value: null, reason };
    return other.value === null ? other : seedValue(seed, value - other.value);
  });
  return { name, estimate: overSeeds(against), difference: overSeeds(differences) };
}

function entityLevelOf(values: readonly SeedValue[], stream: () => RandomStream): EntityLevel | null {
  const nested = values.flatMap((own) =>
    own.value === null || own.entities === undefined ? [] : [own.entities],
  );
  if (nested.length === 0) return null;
  const random = stream();
  return { bootstrap: hierarchicalMean(nested, random), tagFlips: tagFlipTest(nested, random) };
}

/** Two-sided p-value of "the quantity equals its null"; null where there is no such test. */
export function pValueAgainstNull({
  estimate,
  null: own,
}: Pick<Quantity, 'estimate' | 'null'>): number | null {
  const tested = own === null ? null : own.kind === 'zero' ? estimate : own.difference;
  return tested === null || tested.kind === 'absent' ? null : tested.pValue;
}
