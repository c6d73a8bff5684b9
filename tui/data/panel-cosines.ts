import type { ColumnSet } from '../../src/store/column-views.js';
import type { Pairing, QuestionKind } from '../../src/store/panel-names.js';

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
export function panelCosines(columns: ColumnSet): PanelCosines {
  const step = columns.column('step', 'int32').values;
  const [subset, questions, pairing, tensor] = (['subset', 'questions', 'pairing', 'tensor'] as const).map(
    (name) => columns.column(name, 'dictionary'),
  );
  const variable = columns.column('variable', 'int32').values;
  const cosine = columns.column('cosine', 'float64').values;
  const steps = [...new Set(step)].toSorted((a, b) => a - b);
  const stepPlace = new Map(steps.map((own, i) => [own, i]));
  const sizes = [subset, questions, pairing, tensor].map((column) => Math.max(1, column!.values.length));
  const cells = sizes.reduce((product, size) => product * size, steps.length);
  const sums = new Float64Array(cells);
  const counts = new Int32Array(cells);
  const cellOf = (at: number, a: number, b: number, c: number, d: number): number =>
    (((at * sizes[0]! + a) * sizes[1]! + b) * sizes[2]! + c) * sizes[3]! + d;
  const cellOfRow = (row: number): number =>
    cellOf(
      stepPlace.get(step[row]!)!,
      subset!.indices[row]!,
      questions!.indices[row]!,
      pairing!.indices[row]!,
      tensor!.indices[row]!,
    );
  for (let row = 0; row < columns.rows; row++) {
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
      subset!.values.indexOf(ofSubset),
      questions!.values.indexOf(ofQuestions),
      pairing!.values.indexOf(ofPairing),
      tensor!.values.indexOf(ofTensor),
    ] as const;
    return places.some((place) => place < 0) ? -1 : cellOf(...places);
  };
  // Rows of each cell, made when single entities are first asked for.
  let rowsOfCells: Map<number, number[]> | null = null;
  const rowsOf = (cell: number): readonly number[] => {
    if (rowsOfCells === null) {
      rowsOfCells = new Map();
      for (let row = 0; row < columns.rows; row++) {
        const own = cellOfRow(row);
        const known = rowsOfCells.get(own);
        if (known === undefined) rowsOfCells.set(own, [row]);
        else known.push(row);
      }
    }
    return rowsOfCells.get(cell) ?? [];
  };
  return {
    steps,
    tensors: tensor!.values,
    subsets: subset!.values,
    mean: (...names) => {
      const cell = cellOfNames(...names);
      return cell < 0 || counts[cell] === 0 ? NaN : sums[cell]! / counts[cell]!;
    },
    entities: (...names) =>
      new Map(
        rowsOf(cellOfNames(...names)).flatMap((row) =>
          Number.isFinite(cosine[row]!) ? [[variable[row]!, cosine[row]!] as const] : [],
        ),
      ),
  };
}

/** The tag-swap gap of new variables and its null. */
export interface TagSwapGap {
  readonly gap: number;
  /** The same on questions of other variables. */
  readonly null: number;
}

/**
 * Cosine with the reliable tag minus that with the unreliable one, of the same new variables and questions: d1consis as
 * trained against swapped, d2consis the other way round, the mean of the two. NaN where one is missing.
 */
export function tagSwapGap(cosines: PanelCosines, step: number, tensor: string): TagSwapGap {
  const gap = (asTrained: Pairing, swapped: Pairing): number => {
    const mean = (subset: string, pairing: Pairing): number =>
      cosines.mean(step, tensor, subset, pairing, 'heldout');
    const reliable = (mean('d1consis', asTrained) + mean('d2consis', swapped)) / 2;
    return reliable - (mean('d1consis', swapped) + mean('d2consis', asTrained)) / 2;
  };
  return { gap: gap('matched', 'tag_swap'), null: gap('mismatched', 'tag_swap_mismatched') };
}
