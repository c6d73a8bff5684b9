import { mean } from 'simple-statistics';
import type { RandomStream } from '../../data/random/streams.js';
import { hierarchicalMean } from './inference/bootstrap/hierarchical-mean.js';
import { absent, type Estimate } from './inference/estimate.js';
import { exactSignFlipUnits } from './inference/permutation/sign-flips.js';
import { tagFlipTest } from './inference/permutation/tag-flip.js';
import { ratioOfMeans, type Ratio } from './inference/ratio.js';
import { meanOverSeeds } from './inference/seeds/mean.js';
import { signFlipTest } from './inference/seeds/sign-flip.js';
import type { TestResult } from './inference/test-result.js';

/**
 * What a run gives for a quantity: a number, one for each entity (the run's is their mean), two numbers whose ratio is
 * meant (over seeds: the ratio of the averages), or why there is none.
 */
export type RunValue = number | readonly number[] | Ratio | string;

/** The value of a quantity in one run, or why there is none. */
export type SeedValue =
  | {
      readonly seed: number;
      readonly value: number;
      readonly reason: null;
      /** Values of the entities whose mean it is. */
      readonly entities?: readonly number[];
      /** What it is the quotient of. */
      readonly ratio?: Ratio;
    }
  | { readonly seed: number; readonly value: null; readonly reason: string; readonly ratio?: Ratio };

/** What a quantity would be without the effect. */
export type NullValue =
  /** Zero, by the symmetry of what is compared. */
  | { readonly kind: 'zero'; readonly label: string }
  /** Measured in the same runs on pairs that cannot have the effect. */
  | ({ readonly kind: 'measured'; readonly label: string } & Compared);

/** Another value beside a quantity's. */
export interface Compared {
  readonly estimate: Estimate;
  /** Mean over seeds of the quantity minus this in the same run (or, for another arm, the same seed). */
  readonly difference: Estimate;
}

/** A further value that a quantity is held against. */
export interface Control extends Compared {
  /** Unique among the controls of its quantity: `untrained`. */
  readonly id: string;
  readonly label: string;
}

/** What the entities within the seeds say, beside the interval over seeds. */
export interface EntityLevel {
  /** Interval of the hierarchical bootstrap: seeds, then entities; with one seed, over its entities alone. */
  readonly bootstrap: Estimate;
  /**
   * Permutation test by flips of the tag, entity by entity: about these models, not the next seed. Null where the sign
   * of an entity's value is not that of a difference between tags.
   */
  readonly tagFlips: TestResult | null;
}

/** A number over seeds with what it takes to believe it. */
export interface Quantity {
  /** Unique and stable: the section's, a dot and its own, `internalization.strongGap`. Everything is joined by it. */
  readonly id: string;
  /** For people, in plain words that need no context. */
  readonly label: string;
  /** For tables below the title of its section; absent where that is the label. */
  readonly shortLabel?: string;
  /** `accuracy`, `nats`, `1` for a plain number. */
  readonly unit: string;
  readonly estimate: Estimate;
  /** Null for a quantity that is a size, not an effect. */
  readonly null: NullValue | null;
  /** Further nulls. */
  readonly controls: readonly Control[];
  /** Null where runs give no values of entities. */
  readonly entityLevel: EntityLevel | null;
  /**
   * Exact test over all 2^n sign flips of the seeds' differences from the null, below 15 seeds; null beyond, for a size
   * and for fewer than two seeds.
   */
  readonly signFlips: TestResult | null;
  /** p-value against the null, adjusted for the other quantities of its section; null where there is none. */
  readonly adjustedPValue: number | null;
  readonly seeds: readonly SeedValue[];
}

export function isRatio(value: RunValue): value is Ratio {
  return typeof value === 'object' && 'numerator' in value;
}

export function seedValue(seed: number, value: RunValue): SeedValue {
  if (typeof value === 'string') return { seed, value: null, reason: value };
  if (isRatio(value)) return seedRatio(seed, value);
  const entities = typeof value === 'number' ? null : value;
  if (entities?.length === 0) return { seed, value: null, reason: 'there is no entity' };
  const number = typeof value === 'number' ? value : mean([...value]);
  if (!Number.isFinite(number)) return { seed, value: null, reason: `it comes out as ${number}` };
  return { seed, value: number, reason: null, ...(entities === null ? {} : { entities }) };
}

/** A seed whose quotient cannot be formed still counts in the ratio of the averages. */
function seedRatio(seed: number, { numerator, denominator }: Ratio): SeedValue {
  const ratio = { numerator, denominator };
  if (!Number.isFinite(numerator) || !Number.isFinite(denominator)) {
    return { seed, value: null, reason: `it comes out as ${numerator} / ${denominator}` };
  }
  const value = numerator / denominator;
  return Number.isFinite(value)
    ? { seed, value, reason: null, ratio }
    : { seed, value: null, reason: 'its own denominator is 0', ratio };
}

/** Mean over the seeds that have a value, or their ratio of averages; absent with the first reason when none has. */
export function overSeeds(values: readonly SeedValue[]): Estimate {
  const ratios = values.flatMap(({ ratio }) => (ratio === undefined ? [] : [ratio]));
  if (ratios.length > 0) return ratioOfMeans(ratios);
  const present = presentValues(values);
  if (present.length > 0) return meanOverSeeds(present);
  return absent(values[0]?.reason ?? 'there are no runs');
}

const presentValues = (values: readonly SeedValue[]): number[] =>
  values.flatMap(({ value }) => (value === null ? [] : [value]));

/** A further null before it is put together. */
export interface ControlParts {
  readonly id: string;
  readonly label: string;
  /** `[run]` */
  readonly values: readonly SeedValue[];
  /** `[run]` the quantity's own values over the same entities, where the control has not all of them. */
  readonly of?: readonly SeedValue[];
}

/** The parts of a quantity; values are `[run]`, those of nulls and controls in the same order. */
export interface QuantityParts {
  readonly id: string;
  readonly label: string;
  readonly shortLabel?: string;
  readonly unit: string;
  readonly values: readonly SeedValue[];
  readonly null:
    | null
    | { readonly kind: 'zero'; readonly label: string }
    | { readonly kind: 'measured'; readonly label: string; readonly values: readonly SeedValue[] };
  readonly controls: readonly ControlParts[];
  /** Whether the sign of an entity's value is that of a difference between tags. */
  readonly tagDifference?: boolean;
}

/** Puts a quantity together; `stream` gives the draws of bootstrap and permutations. */
export function makeQuantity(parts: QuantityParts, stream: () => RandomStream): Quantity {
  const { id, label, unit, values, null: own, controls, tagDifference = false } = parts;
  return {
    id,
    label,
    ...(parts.shortLabel === undefined ? {} : { shortLabel: parts.shortLabel }),
    unit,
    estimate: overSeeds(values),
    null:
      own?.kind === 'measured'
        ? { kind: 'measured', label: own.label, ...compared(values, own.values) }
        : own,
    controls: controls.map((control) =>
      controlOf(control.id, control.label, control.of ?? values, control.values),
    ),
    entityLevel: entityLevelOf(values, tagDifference, stream),
    signFlips:
      own === null
        ? null
        : exactFlips(own.kind === 'zero' ? values : differencesOf(values, own.values), stream),
    adjustedPValue: null,
    seeds: values,
  };
}

/** A control whose values belong to the same runs or seeds as the quantity's, one by one. */
export function controlOf(
  id: string,
  label: string,
  values: readonly SeedValue[],
  against: readonly SeedValue[],
): Control {
  return { id, label, ...compared(values, against) };
}

function compared(values: readonly SeedValue[], against: readonly SeedValue[]): Compared {
  return { estimate: overSeeds(against), difference: overSeeds(differencesOf(values, against)) };
}

function differencesOf(values: readonly SeedValue[], against: readonly SeedValue[]): SeedValue[] {
  return values.map(({ seed, value, reason }, i): SeedValue => {
    const other = against[i]!;
    if (value === null) return { seed, value: null, reason };
    return other.value === null
      ? { seed, value: null, reason: other.reason }
      : seedValue(seed, value - other.value);
  });
}

/** "The ratio is 0" is "the numerator is 0". */
function exactFlips(values: readonly SeedValue[], stream: () => RandomStream): TestResult | null {
  const ratios = values.flatMap(({ ratio }) => (ratio === undefined ? [] : [ratio.numerator]));
  const numbers = ratios.length > 0 ? ratios : presentValues(values);
  if (numbers.length < 2 || numbers.length > exactSignFlipUnits) return null;
  return signFlipTest(numbers, stream());
}

function entityLevelOf(
  values: readonly SeedValue[],
  tagDifference: boolean,
  stream: () => RandomStream,
): EntityLevel | null {
  const nested = values.flatMap((own) =>
    own.value === null || own.entities === undefined ? [] : [own.entities],
  );
  if (nested.length === 0) return null;
  const random = stream();
  return {
    bootstrap: hierarchicalMean(nested, random),
    tagFlips: tagDifference ? tagFlipTest(nested, random) : null,
  };
}

/** Estimate of the quantity minus its null; of itself where the null is 0 or there is none. */
export function excessOf({ estimate, null: own }: Pick<Quantity, 'estimate' | 'null'>): Estimate {
  return own?.kind === 'measured' ? own.difference : estimate;
}

/** Two-sided p-value of "the quantity equals its null"; null where there is no such test. */
export function pValueAgainstNull(quantity: Pick<Quantity, 'estimate' | 'null'>): number | null {
  if (quantity.null === null) return null;
  const tested = excessOf(quantity);
  return tested.kind === 'absent' ? null : tested.pValue;
}
