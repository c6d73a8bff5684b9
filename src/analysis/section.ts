import { createStream } from '../../data/random/streams.js';
import { holm } from './inference/multiplicity/holm.js';
import { makeQuantity, pValueAgainstNull, seedValue } from './quantity.js';
import type { Quantity, RunValue, SeedValue } from './quantity.js';
import type { RunData } from './run-data.js';
import type { RunReader } from './run-reader.js';

/** One number of a section, and what it is held against. */
export interface QuantitySpec {
  /** Key of its value in {@link SectionSpec.measure}. */
  readonly key: string;
  readonly name: string;
  /** `accuracy`, `nats`, `1` for a plain number. */
  readonly unit: string;
  /** Null for a size; zero by symmetry; or the key of a value measured in the same run. */
  readonly null:
    | null
    | { readonly kind: 'zero'; readonly name: string }
    | { readonly kind: 'measured'; readonly name: string; readonly key: string };
  /** Further nulls, measured in the same run. */
  readonly controls?: readonly { readonly name: string; readonly key: string }[];
}

/** Values of one run by key. */
export type RunValues = Readonly<Record<string, RunValue>>;

/** A question that runs are asked: one file in `sections/`, one line in its registry. */
export interface SectionSpec {
  readonly name: string;
  readonly title: string;
  /** A function where they depend on the model or the checkpoints of an arm's runs. */
  readonly quantities:
    readonly QuantitySpec[] | ((run: RunData, measured: readonly RunValues[]) => readonly QuantitySpec[]);
  /** Whether the p-values of all quantities are adjusted for each other. */
  readonly multiplicity?: 'holm';
  /** What a reader must know of the estimates before believing them. */
  readonly notes?: (quantities: readonly Quantity[]) => readonly string[];
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
  readonly name: string;
  readonly title: string;
  readonly multiplicity: 'holm' | null;
  readonly quantities: readonly Quantity[];
  readonly notes: readonly string[];
}

/** Puts the values of runs together; null where no run has any. `measured`: `[run]`. */
export function sectionOf(
  spec: SectionSpec,
  runs: readonly RunData[],
  measured: readonly (RunValues | null)[],
): Section | null {
  if (measured.every((own) => own === null)) return null;
  const valuesOf = (key: string): SeedValue[] =>
    measured.map((own, i) => {
      const { seed } = runs[i]!.info;
      return seedValue(
        seed,
        own === null ? `seed ${seed} has not been measured` : (own[key] ?? `seed ${seed}: no ${key}`),
      );
    });
  const specs =
    typeof spec.quantities === 'function'
      ? spec.quantities(
          runs[0]!,
          measured.filter((own) => own !== null),
        )
      : spec.quantities;
  const quantities = specs.map(({ key, name, unit, null: against, controls = [] }) =>
    makeQuantity(
      {
        name,
        unit,
        values: valuesOf(key),
        null: against?.kind === 'measured' ? { ...against, values: valuesOf(against.key) } : against,
        controls: controls.map((control) => ({ name: control.name, values: valuesOf(control.key) })),
      },
      () => createStream(0, `analysis/${spec.name}/${key}`),
    ),
  );
  const adjusted = spec.multiplicity === 'holm' ? adjust(quantities) : quantities;
  return {
    name: spec.name,
    title: spec.title,
    multiplicity: spec.multiplicity ?? null,
    quantities: adjusted,
    notes: spec.notes?.(adjusted) ?? [],
  };
}

function adjust(quantities: readonly Quantity[]): Quantity[] {
  const adjusted = holm(quantities.map(pValueAgainstNull));
  return quantities.map((quantity, i) => ({ ...quantity, adjustedPValue: adjusted[i] ?? null }));
}
