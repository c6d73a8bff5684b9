import { knownName, retrainChanges, type RetrainChange } from '../../../store/retrain-names.js';
import { tables } from '../../../store/tables/registry.js';
import { readTable, type RunData } from '../../run-data.js';

/** A variable with its subset. */
export interface RetrainedVariable {
  readonly subset: string;
  readonly variable: number;
}

/** `[definition * asked]` predicted changes by column of the table `retrain_predictions`. */
export interface PredictedChanges {
  readonly innerProduct: Float64Array;
  /** NaN where a gradient is zero. */
  readonly cosine: Float64Array;
  readonly oneStep: Float64Array;
  readonly checkpoints: Float64Array;
  /** Null where it was not computed. */
  readonly pathIntegral: Float64Array | null;
  /** `[definition]` */
  readonly tokens: Float64Array;
}

/** What questions are answered at the end of one retraining, `[asked]` means over the questions about a variable. */
export interface RetrainedOutcome {
  readonly change: RetrainChange;
  readonly order: number;
  /** Subset of what is dropped or swapped; null for the others. */
  readonly subset: string | null;
  /** Variable whose definition is changed, or number of the half; null for the others. */
  readonly changed: number | null;
  readonly loss: Float64Array;
  readonly accuracy: Float64Array;
}

/** Counterfactual retrainings of one run, with what predicts them. */
export interface RetrainData {
  /** Every definition of the stage. */
  readonly definitions: readonly RetrainedVariable[];
  /** Variables asked about. */
  readonly asked: readonly RetrainedVariable[];
  readonly outcomes: readonly RetrainedOutcome[];
  /** `[half]` numbers of the definitions in it. */
  readonly halves: readonly Int32Array[];
  readonly predictions: PredictedChanges;
  /** Of the definitions with swapped tags; null where there are none. */
  readonly swapped: PredictedChanges | null;
}

/** Reads what `gradscope retrain` wrote; null for a run that it was not asked of. */
export async function readRetrained(run: Pick<RunData, 'folder' | 'tables'>): Promise<RetrainData | null> {
  const retrained = await readTable(run, tables.retrained, [
    'change',
    'order',
    'changed_subset',
    'changed',
    'asked_subset',
    'asked',
    'loss',
    'accuracy',
  ]);
  const halves = await readTable(run, tables.retrain_halves, ['half', 'variables']);
  const predicted = await readTable(run, tables.retrain_predictions, [
    'subset',
    'variable',
    'definition',
    'asked_subset',
    'asked',
    'inner_product',
    'cosine',
    'one_step',
    'checkpoints',
    'path_integral',
    'tokens',
  ]);
  if (retrained === null || halves === null || predicted === null || predicted.rows === 0) return null;
  const { columns: p } = predicted;
  const isSwap = Array.from({ length: predicted.rows }, (_, row) => p.definition.text(row) === 'tag_swap');
  const asked: RetrainedVariable[] = [];
  for (let row = 0; row < predicted.rows && p.variable[row] === p.variable[0] && !isSwap[row]; row++)
    asked.push({ subset: p.asked_subset.text(row), variable: p.asked[row]! });
  const definitions: RetrainedVariable[] = [];
  for (let row = 0; row < predicted.rows && !isSwap[row]; row += asked.length)
    definitions.push({ subset: p.subset.text(row), variable: p.variable[row]! });
  const size = definitions.length * asked.length;
  const changesFrom = (first: number): PredictedChanges => {
    const of = (column: Float64Array): Float64Array => column.subarray(first, first + size);
    const path = of(p.path_integral.values);
    return {
      innerProduct: of(p.inner_product),
      cosine: of(p.cosine.values),
      oneStep: of(p.one_step),
      checkpoints: of(p.checkpoints),
      pathIntegral: path.every(Number.isNaN) ? null : path,
      tokens: Float64Array.from(definitions, (_, i) => p.tokens[first + i * asked.length]!),
    };
  };
  const { columns: r } = retrained;
  const outcomes: RetrainedOutcome[] = [];
  for (let row = 0; row < retrained.rows; row += asked.length) {
    const subset = r.changed_subset.text(row);
    outcomes.push({
      change: knownName(retrainChanges, r.change.text(row)),
      order: r.order[row]!,
      subset: subset === 'none' ? null : subset,
      changed: r.changed.isNull(row) ? null : r.changed.values[row]!,
      loss: r.loss.subarray(row, row + asked.length),
      accuracy: r.accuracy.subarray(row, row + asked.length),
    });
  }
  const numberOf = new Map(definitions.map(({ variable }, i) => [variable, i]));
  return {
    definitions,
    asked,
    outcomes,
    halves: Array.from({ length: halves.rows }, (_, row) =>
      Int32Array.from(halves.columns.variables.row(row), (variable) => numberOf.get(variable)!),
    ),
    predictions: changesFrom(0),
    swapped: predicted.rows >= 2 * size && isSwap[size] ? changesFrom(size) : null,
  };
}
