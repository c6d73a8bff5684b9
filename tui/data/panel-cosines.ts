import { newSubsets, shownTag, type Design } from '../../data/design.js';
import type { Pairing, QuestionKind } from '../../src/store/panel-names.js';
import type { tables } from '../../src/store/tables/registry.js';
import type { TypedTable } from '../../src/store/typed-table.js';

/** Columns of the table `alignment` that {@link panelCosines} takes. */
export const cosineColumns = [
  'step',
  'subset',
  'variable',
  'questions',
  'pairing',
  'tensor',
  'cosine',
] as const;

/** Columns of the table `alignment`. */
type CosineTable = TypedTable<typeof tables.alignment, (typeof cosineColumns)[number]>;

/** Mean cosines over entities, and those of single entities. */
export interface PanelCosines {
  /** Checkpoints, ascending. */
  readonly steps: readonly number[];
  readonly tensors: readonly string[];
  readonly subsets: readonly string[];
  /** Mean over entities, NaN where there is none. */
  mean(step: number, tensor: string, subset: string, pairing: Pairing, questions: QuestionKind): number;
  /** Cosines of single entities at a checkpoint and tensor, by variable; empty where there are none. */
  entities(
    step: number,
    tensor: string,
    subset: string,
    pairing: Pairing,
    questions: QuestionKind,
  ): ReadonlyMap<number, number>;
}

/**
 * Cosines of the table `alignment`, summed in one pass over typed arrays: it has a row for every tensor, and a list of
 * runs shows a number of each.
 */
export function panelCosines(table: CosineTable): PanelCosines {
  const { step, subset, questions, pairing, tensor, variable } = table.columns;
  const cosine = table.columns.cosine.values;
  const steps = [...new Set(step)].toSorted((a, b) => a - b);
  const stepPlace = new Map(steps.map((own, i) => [own, i]));
  const sizes = [subset, questions, pairing, tensor].map((column) => Math.max(1, column.values.length));
  const cells = sizes.reduce((product, size) => product * size, steps.length);
  const sums = new Float64Array(cells);
  const counts = new Int32Array(cells);
  const cellOf = (at: number, a: number, b: number, c: number, d: number): number =>
    (((at * sizes[0]! + a) * sizes[1]! + b) * sizes[2]! + c) * sizes[3]! + d;
  const cellOfRow = (row: number): number =>
    cellOf(
      stepPlace.get(step[row]!)!,
      subset.indices[row]!,
      questions.indices[row]!,
      pairing.indices[row]!,
      tensor.indices[row]!,
    );
  for (let row = 0; row < table.rows; row++) {
    const value = cosine[row]!;
    if (!Number.isFinite(value)) continue;
    const cell = cellOfRow(row);
    sums[cell]! += value;
    counts[cell]!++;
  }
  const cellOfNames = (
    at: number,
    ofTensor: string,
    ofSubset: string,
    ofPairing: Pairing,
    ofQuestions: QuestionKind,
  ): number => {
    const places = [
      stepPlace.get(at) ?? -1,
      subset.values.indexOf(ofSubset),
      questions.values.indexOf(ofQuestions),
      pairing.values.indexOf(ofPairing),
      tensor.values.indexOf(ofTensor),
    ] as const;
    return places.some((place) => place < 0) ? -1 : cellOf(...places);
  };
  // Rows sorted by cell, made when single entities are first asked for.
  let sorted: { readonly starts: Int32Array; readonly rows: Int32Array } | null = null;
  const rowsOf = (cell: number): Int32Array => {
    sorted ??= sortByCell(table.rows, cells, cellOfRow);
    return cell < 0 ? new Int32Array() : sorted.rows.subarray(sorted.starts[cell], sorted.starts[cell + 1]);
  };
  return {
    steps,
    tensors: tensor.values,
    subsets: subset.values,
    mean: (...names) => {
      const cell = cellOfNames(...names);
      return cell < 0 || counts[cell] === 0 ? NaN : sums[cell]! / counts[cell]!;
    },
    entities: (...names) => {
      const found = new Map<number, number>();
      for (const row of rowsOf(cellOfNames(...names))) {
        if (Number.isFinite(cosine[row]!)) found.set(variable[row]!, cosine[row]!);
      }
      return found;
    },
  };
}

function sortByCell(count: number, cells: number, cellOf: (row: number) => number) {
  const starts = new Int32Array(cells + 1);
  for (let row = 0; row < count; row++) starts[cellOf(row) + 1]!++;
  for (let cell = 0; cell < cells; cell++) starts[cell + 1]! += starts[cell]!;
  const [next, rows] = [starts.slice(), new Int32Array(count)];
  for (let row = 0; row < count; row++) rows[next[cellOf(row)]!++] = row;
  return { starts, rows };
}

/** The tag-swap gap of new variables and its null. */
export interface TagSwapGap {
  readonly gap: number;
  /** The same on questions of other variables. */
  readonly null: number;
}

/**
 * Cosine with the reliable tag minus that with the unreliable one, of the same new variables and questions, mean over
 * the entities that have both: those defined with the reliable tag as trained against swapped, the others the other way
 * round. NaN without any.
 */
export function tagSwapGap(cosines: PanelCosines, design: Design, step: number, tensor: string): TagSwapGap {
  const gap = (asTrained: Pairing, swapped: Pairing): number => {
    let [sum, count] = [0, 0];
    for (const subset of newSubsets(design)) {
      const [reliable, unreliable] =
        shownTag(design, subset) === 'reliable' ? [asTrained, swapped] : [swapped, asTrained];
      const others = cosines.entities(step, tensor, subset, unreliable, 'heldout');
      for (const [entity, value] of cosines.entities(step, tensor, subset, reliable, 'heldout')) {
        const other = others.get(entity);
        if (other === undefined) continue;
        sum += value - other;
        count++;
      }
    }
    return count === 0 ? NaN : sum / count;
  };
  return { gap: gap('matched', 'tag_swap'), null: gap('mismatched', 'tag_swap_mismatched') };
}
