import {
  contrastQuantity,
  quantityAgainst,
  seedValue,
  sizeQuantity,
  type Quantity,
  type SeedValue,
} from './quantity.js';
import type { GroupGradients } from './group-gradients.js';
import type { RunData } from './run-data.js';

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
}

/** A question that runs are asked: one file in `sections/`, one line in its registry. */
export interface SectionSpec {
  readonly name: string;
  readonly title: string;
  readonly quantities: readonly QuantitySpec[];
  /**
   * Values of one run by key, or the reason why there is one missing; null where the run does not have what the
   * section is about, so that the section is left out when no run has it.
   *
   * @param gradients the group gradients of the run's log, read once for all sections; null where it has none
   */
  measure(
    run: RunData,
    gradients: GroupGradients | null,
  ): Promise<Readonly<Record<string, number | string>> | null>;
}

/** What the runs of an arm answer to a section. */
export interface Section {
  readonly name: string;
  readonly title: string;
  readonly quantities: readonly Quantity[];
}

/** Puts the values of runs together; null where no run has any. `measured`: `[run]`. */
export function sectionOf(
  spec: SectionSpec,
  seeds: readonly number[],
  measured: readonly (Readonly<Record<string, number | string>> | null)[],
): Section | null {
  if (measured.every((own) => own === null)) return null;
  const valuesOf = (key: string): SeedValue[] =>
    measured.map((own, i) =>
      seedValue(
        seeds[i]!,
        own === null ? `seed ${seeds[i]} has not been measured` : (own[key] ?? `no ${key}`),
      ),
    );
  const quantities = spec.quantities.map(({ key, name, unit, null: against }) => {
    if (against === null) return sizeQuantity(name, unit, valuesOf(key));
    return against.kind === 'zero'
      ? contrastQuantity(name, unit, valuesOf(key), against.name)
      : quantityAgainst(name, unit, valuesOf(key), against.name, valuesOf(against.key));
  });
  return { name: spec.name, title: spec.title, quantities };
}
