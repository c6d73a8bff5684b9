import { createStream } from '../../../data/random/streams.js';
import { attempt } from '../failures.js';
import { sectionOfQuantity } from '../known-quantities.js';
import { makeQuantity, type Quantity, type SeedValue } from '../quantity.js';
import type { RunData } from '../run-data.js';
import { RunReader } from '../run-reader.js';
import { seedValuesOf, specsOfRuns, type RunValues } from '../section.js';

/** A quantity of an arm with what predictions compare. */
export interface MeasuredQuantity {
  readonly quantity: Quantity;
  /** `[seed]` its values, less its null where that is measured in the same run. */
  readonly compared: readonly SeedValue[];
}

/** The runs of an arm, and why seeds have none. */
export interface OpenedArm {
  readonly seeds: readonly number[];
  /** Complete runs. */
  readonly runs: readonly RunData[];
  /** By seed. */
  readonly missing: ReadonlyMap<number, string>;
}

/**
 * Measures quantities in the runs of an arm, as the sections of the report do; a quantity that none of them has is left
 * out.
 *
 * @param ids of quantities, each once
 */
export async function measureQuantities(
  { seeds, runs, missing }: OpenedArm,
  ids: readonly string[],
): Promise<MeasuredQuantity[]> {
  const readers = runs.map((run) => new RunReader(run));
  const found: MeasuredQuantity[] = [];
  for (const section of new Set(ids.flatMap((id) => sectionOfQuantity(id) ?? []))) {
    const measured: (RunValues | string | null)[] = [];
    for (const [i, run] of runs.entries()) {
      const { value, failed } = await attempt(() => section.measure(run, readers[i]!));
      measured.push(failed ?? value);
    }
    if (runs.length === 0) continue;
    for (const spec of specsOfRuns(section, runs, measured)) {
      const id = `${section.id}.${spec.id}`;
      if (!ids.includes(id)) continue;
      const ofSeeds = (key: string): SeedValue[] => {
        const values = new Map(seedValuesOf(key, runs, measured).map((own) => [own.seed, own]));
        return seeds.map(
          (seed) => values.get(seed) ?? { seed, value: null, reason: missing.get(seed) ?? 'there is no run' },
        );
      };
      const values = ofSeeds(spec.key ?? spec.id);
      const none = spec.null?.kind === 'measured' ? ofSeeds(spec.null.key) : null;
      const { label, shortLabel, unit } = spec;
      found.push({
        quantity: makeQuantity(
          {
            id,
            label,
            ...(shortLabel === undefined ? {} : { shortLabel }),
            unit,
            values,
            null:
              spec.null?.kind === 'measured'
                ? { kind: 'measured', label: spec.null.label, values: none! }
                : spec.null,
            controls: [],
          },
          () => createStream(0, `analysis/sweep/${id}`),
        ),
        compared: none === null ? values : values.map((own, i) => less(own, none[i]!)),
      });
    }
  }
  return found;
}

function less(own: SeedValue, none: SeedValue): SeedValue {
  if (own.value === null) return own;
  if (none.value === null) return { seed: own.seed, value: null, reason: `its null: ${none.reason}` };
  return { seed: own.seed, value: own.value - none.value, reason: null };
}
