import { setImmediate } from 'node:timers/promises';
import { minibatchGroup } from '../../../store/tables/common.js';
import { tables } from '../../../store/tables/registry.js';
import { TableReader } from '../../../store/table-reader.js';
import { readTypedBatch } from '../../../store/typed-table.js';
import type { MinibatchSeries } from './variance.js';
import type { RunData } from '../../run-data.js';
import type { RateGroup } from '../../stage-sampling.js';

/** Norms of the minibatches of training of the parameters that share a learning rate. */
export interface RatedMinibatches extends MinibatchSeries {
  /** Full learning rate, before the schedule. */
  readonly learningRate: number;
}

/**
 * Norms of a run's minibatches by learning rate, at the updates with per-example norms: squared norms add up over
 * tensors. Read batch by batch, keeping the rows of whole minibatches alone; null where the log has none.
 */
export async function readRatedMinibatches(
  run: RunData,
  groups: readonly RateGroup[],
  sizes: MinibatchSeries,
): Promise<RatedMinibatches[] | null> {
  if (!run.tables.has('gradients')) return null;
  const groupOf = new Map(
    groups.flatMap(({ parameters }, place) => parameters.map((name) => [name, place] as const)),
  );
  const sums = groups.map(() => new Map<number, { norm2: number; exampleNorm2: number }>());
  const reader = await TableReader.open(run.folder, tables.gradients.name);
  try {
    for (const i of reader.batches.keys()) {
      const names = ['step', 'group', 'tensor', 'norm2', 'example_norm2'] as const;
      const { rows, columns } = await readTypedBatch(reader, tables.gradients, i, names);
      const { step, group, tensor, norm2 } = columns;
      const example = columns.example_norm2.values;
      const minibatch = group.values.indexOf(minibatchGroup);
      const places = tensor.values.map((name) => groupOf.get(name));
      for (let row = 0; row < rows; row++) {
        const place = places[tensor.indices[row]!];
        if (place === undefined || group.indices[row] !== minibatch || Number.isNaN(example[row]!)) continue;
        const own = sums[place]!.get(step[row]!) ?? { norm2: 0, exampleNorm2: 0 };
        own.norm2 += norm2[row]!;
        own.exampleNorm2 += example[row]!;
        sums[place]!.set(step[row]!, own);
      }
      await setImmediate();
    }
  } finally {
    await reader.close();
  }
  const sizeAt = new Map(Array.from(sizes.steps, (step, i) => [step, sizes.size[i]!]));
  const series = groups.map(({ learningRate }, place): RatedMinibatches => {
    const rows = [...sums[place]!].toSorted(([a], [b]) => a - b);
    return {
      learningRate,
      steps: Int32Array.from(rows, ([step]) => step),
      size: rows.map(([step]) => sizeAt.get(step) ?? NaN),
      norm2: rows.map(([, own]) => own.norm2),
      exampleNorm2: rows.map(([, own]) => own.exampleNorm2),
    };
  });
  return series.some(({ steps }) => steps.length > 0) ? series : null;
}
