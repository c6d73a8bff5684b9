import type { ExampleSet } from '../../../data/experiment.js';
import { createStream } from '../../../data/random/streams.js';
import type { RetrainChange } from '../../store/retrain-names.js';
import type { RetrainPopulation } from './population.js';

/** One time that the stage is trained again. */
export interface Retraining {
  /** Unique among those of a run: `drop 17 order 0`. */
  readonly id: string;
  readonly change: RetrainChange;
  /** 0: order and noise of the run. */
  readonly order: number;
  /** Subset of what is changed; null where no definition or subset is singled out. */
  readonly subset: string | null;
  /** Variable whose definition is dropped or swapped, or number of the half; null for the others. */
  readonly changed: number | null;
  /** Rows of the stage's training set whose loss has weight 0. */
  readonly weightless: Int32Array;
  /** Rows that are there, ascending; null: all. */
  readonly kept: Int32Array | null;
}

/** How many retrainings of which kind. */
export interface RetrainAmounts {
  readonly halves: number;
  /** Orders of minibatches and noise, that of the run included. */
  readonly orders: number;
  /** Whether definitions can carry the other tag. */
  readonly swaps: boolean;
}

const none = new Int32Array(0);

/**
 * A random half of the definitions, as their numbers ascending: half of them, rounded down.
 *
 * @param seed of the run
 */
export function halfOf(seed: number, definitions: number, half: number): Int32Array {
  const order = createStream(seed, `retrain/half/${half}`).permutation(definitions);
  return order.subarray(0, Math.floor(definitions / 2)).toSorted();
}

/**
 * The seed of the streams of another order. Minibatches and noise are functions of it as they are of the run's own.
 *
 * @param seed of the run
 */
export function orderSeed(seed: number, order: number): number {
  return order === 0 ? seed : createStream(seed, `retrain/order/${order}`).integer(2 ** 31);
}

/**
 * All retrainings of a run, in an order in which an interrupted command is of most use: every change in the order of the
 * run, then the other orders. Swaps and halves with weight 0 are of the run's order alone.
 *
 * @param seed of the run
 * @param size rows of the stage's training set
 */
export function retrainingsOf(
  { definitions, asked }: RetrainPopulation,
  { halves, orders, swaps }: RetrainAmounts,
  seed: number,
  size: number,
): Retraining[] {
  const rowsOf = new Map(definitions.map(({ variable, rows }) => [variable, rows]));
  const subsets = [...new Set(definitions.map(({ subset }) => subset))];
  const of = (
    change: RetrainChange,
    order: number,
    own: Partial<Pick<Retraining, 'subset' | 'changed' | 'weightless' | 'kept'>>,
  ): Retraining => ({
    id: `${change} ${own.changed ?? own.subset ?? ''} order ${order}`,
    change,
    order,
    subset: null,
    changed: null,
    weightless: none,
    kept: null,
    ...own,
  });
  const inOrder = (order: number): Retraining[] => {
    const all: Retraining[] = [of('nothing', order, {})];
    for (const { subset, variable } of asked)
      all.push(of('drop', order, { subset, changed: variable, weightless: rowsOf.get(variable)! }));
    for (const subset of subsets) {
      const weightless = definitions.filter((own) => own.subset === subset).flatMap(({ rows }) => [...rows]);
      all.push(of('drop_group', order, { subset, weightless: Int32Array.from(weightless) }));
    }
    if (swaps && order === 0)
      for (const { subset, variable } of asked)
        all.push(of('tag_swap', order, { subset, changed: variable }));
    for (let half = 0; half < halves; half++) {
      const absent = new Set(
        without(halfOf(seed, definitions.length, half), definitions.length).flatMap((i) => [
          ...definitions[i]!.rows,
        ]),
      );
      const kept = Int32Array.from({ length: size }, (_, row) => row).filter((row) => !absent.has(row));
      all.push(of('half', order, { changed: half, kept }));
      if (order === 0)
        all.push(of('half_weighted', order, { changed: half, weightless: Int32Array.from(absent) }));
    }
    return all;
  };
  return Array.from({ length: orders }, (_, order) => inOrder(order)).flat();
}

/** The numbers `0 .. count - 1` that are not in a list. */
function without(numbers: Int32Array, count: number): number[] {
  const own = new Set(numbers);
  return Array.from({ length: count }, (_, i) => i).filter((i) => !own.has(i));
}

/**
 * The stage's training set as a retraining sees it. Weight 0 is that of the loss's targets: the example stays in its
 * minibatch, with its noise, and adds nothing to the gradient, which is still divided by all examples of the minibatch
 * (by the targets that are left where the loss is normalised by tokens).
 *
 * @param rowsOf rows of the definition of each variable
 * @param swap writes the definition of a variable with the other tag; called for `tag_swap` alone
 */
export function changedSet(
  set: ExampleSet,
  { change, changed, weightless, kept }: Retraining,
  rowsOf: ReadonlyMap<number, Int32Array>,
  swap: (variable: number, slot: number, buffers: Parameters<ExampleSet['fill']>[2]) => void,
): ExampleSet {
  const muted = new Set(weightless);
  const swapped = new Set(change === 'tag_swap' ? rowsOf.get(changed!) : []);
  if (kept !== null) return keptRows(set, kept);
  if (muted.size === 0 && swapped.size === 0) return set;
  const width = set.fields['weights']!.shape.reduce((product, length) => product * length, 1);
  return {
    ...set,
    fill(rows, first, buffers, random) {
      set.fill(rows, first, buffers, random);
      const weights = buffers['weights']!;
      Array.from(rows).forEach((row, i) => {
        if (muted.has(row)) weights.fill(0, (first + i) * width, (first + i + 1) * width);
        if (swapped.has(row)) swap(changed!, first + i, buffers);
      });
    },
  };
}

/** Some rows of a set alone. */
export function keptRows(set: ExampleSet, kept: Int32Array): ExampleSet {
  const pick = (column: Int32Array): Int32Array => kept.map((row) => column[row]!);
  const original = (rows: ArrayLike<number>): number[] => Array.from(rows, (row) => kept[row]!);
  const { probability, epochSize } = set;
  return {
    size: kept.length,
    fields: set.fields,
    group: pick(set.group),
    variable: pick(set.variable),
    id: pick(set.id),
    ...(probability === undefined
      ? {}
      : { probability: Float64Array.from(kept, (row) => probability[row]!) }),
    // An epoch of a mixture is as long as the share of the rows that are there.
    ...(epochSize === undefined ? {} : { epochSize: Math.round((epochSize * kept.length) / set.size) }),
    ...(set.sourceImages === undefined
      ? {}
      : { sourceImages: (rows, random) => set.sourceImages!(original(rows), random) }),
    fill: (rows, first, buffers, random) => set.fill(original(rows), first, buffers, random),
  };
}
