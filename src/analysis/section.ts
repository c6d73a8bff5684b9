import type { Design } from '../../data/design.js';
import { designOf } from '../../data/internalization-design.js';
import { createStream } from '../../data/random/streams.js';
import { holm } from './inference/multiplicity/holm.js';
import { makeQuantity, pValueAgainstNull, seedValue } from './quantity.js';
import type { Quantity, RunValue, SeedValue } from './quantity.js';
import type { RunData } from './run-data.js';
import type { RunReader } from './run-reader.js';

/** One number of a section, and what it is held against. */
export interface QuantitySpec {
  /** Unique within the section and stable, in camelCase with dots: `strongGap`. Key of its value in `measure`. */
  readonly id: string;
  /** Key of its value where that is not its id. */
  readonly key?: string;
  /** For people, in plain words that need no context. */
  readonly label: string;
  /** For tables below the title of its section, where the label would repeat it; the label by default. */
  readonly shortLabel?: string;
  /** `accuracy`, `nats`, `1` for a plain number. */
  readonly unit: string;
  /** Null for a size; zero by symmetry; or the key of a value measured in the same run. */
  readonly null:
    | null
    | { readonly kind: 'zero'; readonly label: string }
    | { readonly kind: 'measured'; readonly label: string; readonly key: string };
  /** Further nulls, measured in the same run. */
  readonly controls?: readonly ControlSpec[];
  /** Whether the sign of an entity's value is that of a difference between tags, so that a flip of it is a tag flip. */
  readonly tagDifference?: boolean;
}

/** A further null of a quantity. */
export interface ControlSpec {
  /** Unique within the quantity: `untrained`. */
  readonly id: string;
  readonly label: string;
  /** Key of its value. */
  readonly key: string;
  /** Key of the quantity's own value over the same entities, where the control has not all of them. */
  readonly ofKey?: string;
}

/** Quantities that name subsets and depend on nothing else of a run. */
export interface QuantitiesOfDesign {
  ofDesign(design: Design): readonly QuantitySpec[];
}

/** Values of one run by key. */
export type RunValues = Readonly<Record<string, RunValue>>;

/** A question that runs are asked: one file in `studies/`, one line in its registry. */
export interface SectionSpec {
  /** Unique and stable, in camelCase; first part of the ids of its quantities. */
  readonly id: string;
  /** A function where it names subsets. */
  readonly title: string | ((design: Design) => string);
  /** A function where they depend on the model, the data or the checkpoints of an arm's runs. */
  readonly quantities:
    | readonly QuantitySpec[]
    | QuantitiesOfDesign
    | ((run: RunData, measured: readonly RunValues[]) => readonly QuantitySpec[]);
  /** Ids that they can have where they depend on a run; `*` stands for a part that does. */
  readonly ids?: (design: Design) => readonly string[];
  /** The probe that writes the tables it is measured from; none where training does. */
  readonly probe?: string;
  /** Whether the p-values of all quantities are adjusted for each other. */
  readonly multiplicity?: 'holm';
  /** What a reader must know of the estimates before believing them; `run` is the first of the arm. */
  readonly notes?: (quantities: readonly Quantity[], run: RunData) => readonly string[];
  /**
   * Values of one run by key, or the reason why there is one missing; null where the run does not have what the
   * section is about, so that the section is left out when no run has it.
   *
   * @param reader of the run's tables that several sections ask for
   */
  measure(run: RunData, reader: RunReader): Promise<RunValues | null>;
}

/** What the runs of an arm answer to a section. */
export interface Section {
  readonly id: string;
  readonly title: string;
  readonly multiplicity: 'holm' | null;
  readonly quantities: readonly Quantity[];
  readonly notes: readonly string[];
}

/** The quantities of a section that are known before anything is measured; null where they are not. */
export function quantitiesBefore(
  { quantities }: SectionSpec,
  info: RunData['info'],
): readonly QuantitySpec[] | null {
  if (typeof quantities === 'function') return null;
  return 'ofDesign' in quantities ? quantities.ofDesign(designOf(info)) : quantities;
}

/** The quantities that a section has for some runs. `measured` as for {@link sectionOf}. */
export function specsOfRuns(
  spec: SectionSpec,
  runs: readonly RunData[],
  measured: readonly (RunValues | string | null)[],
): readonly QuantitySpec[] {
  const values = measured.filter((own) => own !== null && typeof own !== 'string');
  if (typeof spec.quantities !== 'function') return quantitiesBefore(spec, runs[0]!.info)!;
  return values.length > 0 ? spec.quantities(runs[0]!, values) : [];
}

/** `[run]` the values at a key, with the reason where there is none. `measured` as for {@link sectionOf}. */
export function seedValuesOf(
  key: string,
  runs: readonly Pick<RunData, 'info'>[],
  measured: readonly (RunValues | string | null)[],
): SeedValue[] {
  return measured.map((own, i) => {
    const { seed } = runs[i]!.info;
    return seedValue(
      seed,
      own === null
        ? `seed ${seed} has not been measured`
        : typeof own === 'string'
          ? own
          : (own[key] ?? `seed ${seed}: no ${key}`),
    );
  });
}

/**
 * Puts the values of runs together; null where no run has any. `measured`: `[run]`, a text where the run could not be
 * measured: the reason.
 */
export function sectionOf(
  spec: SectionSpec,
  runs: readonly RunData[],
  measured: readonly (RunValues | string | null)[],
): Section | null {
  if (measured.every((own) => own === null)) return null;
  const valuesOf = (key: string): SeedValue[] => seedValuesOf(key, runs, measured);
  const [first] = runs;
  const specs = specsOfRuns(spec, runs, measured);
  const quantities = specs.map(
    ({ id, key = id, label, shortLabel, unit, null: against, controls = [], tagDifference = false }) =>
      makeQuantity(
        {
          id: `${spec.id}.${id}`,
          label,
          ...(shortLabel === undefined ? {} : { shortLabel }),
          unit,
          values: valuesOf(key),
          null: against?.kind === 'measured' ? { ...against, values: valuesOf(against.key) } : against,
          controls: controls.map((control) => ({
            id: control.id,
            label: control.label,
            values: valuesOf(control.key),
            ...(control.ofKey === undefined ? {} : { of: valuesOf(control.ofKey) }),
          })),
          tagDifference,
        },
        () => createStream(0, `analysis/${spec.id}/${id}`),
      ),
  );
  const adjusted = spec.multiplicity === 'holm' ? adjust(quantities) : quantities;
  return {
    id: spec.id,
    title: typeof spec.title === 'string' ? spec.title : spec.title(designOf(first!.info)),
    multiplicity: spec.multiplicity ?? null,
    quantities: adjusted,
    notes: [
      ...(specs.length === 0 ? measured.filter((own) => typeof own === 'string').slice(0, 1) : []),
      ...(spec.notes?.(adjusted, first!) ?? []),
    ],
  };
}

function adjust(quantities: readonly Quantity[]): Quantity[] {
  const adjusted = holm(quantities.map(pValueAgainstNull));
  return quantities.map((quantity, i) => ({ ...quantity, adjustedPValue: adjusted[i] ?? null }));
}
