import type { tables } from '../../src/store/tables/registry.js';
import type { TypedTable } from '../../src/store/typed-table.js';

/** Columns of the table `transfer_path` that curves take. */
export const pathColumns = [
  'step',
  'subset',
  'variable',
  'predicted',
  'midpoint',
  'loss',
  'start_loss',
] as const;

/** Columns of the table `transfer_path`. */
export type PathTable = TypedTable<typeof tables.transfer_path, (typeof pathColumns)[number]>;

/** What the updates of the stage with definitions did to the questions of a subset, mean over its variables, in nats. */
export interface PathCurves {
  readonly subset: string;
  /** `[update]` ascending. */
  readonly steps: readonly number[];
  /** `[update]` change of the loss since the stage began. */
  readonly actual: readonly number[];
  /** `[update]` first-order predictions, added up. */
  readonly predicted: readonly number[];
  /** `[update]` the same with the mean of the gradients before and after each update. */
  readonly midpoint: readonly number[];
}

/** Curves of each subset of the table, in its order. */
export function pathCurves({ rows, columns }: PathTable): PathCurves[] {
  const { step, subset, predicted, midpoint, loss, start_loss: start } = columns;
  return subset.values.flatMap((name, own): PathCurves[] => {
    const bySteps = new Map<number, { count: number; actual: number; predicted: number; midpoint: number }>();
    for (let row = 0; row < rows; row++) {
      if (subset.indices[row] !== own) continue;
      const sums = bySteps.get(step[row]!) ?? { count: 0, actual: 0, predicted: 0, midpoint: 0 };
      sums.count++;
      sums.actual += loss[row]! - start[row]!;
      sums.predicted += predicted[row]!;
      sums.midpoint += midpoint[row]!;
      bySteps.set(step[row]!, sums);
    }
    if (bySteps.size === 0) return [];
    const points = [...bySteps].toSorted(([a], [b]) => a - b);
    const added = (of: 'predicted' | 'midpoint'): number[] => {
      let sum = 0;
      return points.map(([, sums]) => (sum += sums[of] / sums.count));
    };
    return [
      {
        subset: name,
        steps: points.map(([at]) => at),
        actual: points.map(([, sums]) => sums.actual / sums.count),
        predicted: added('predicted'),
        midpoint: added('midpoint'),
      },
    ];
  });
}
