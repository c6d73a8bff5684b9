import { newSubsets, shownTag, type Design } from '../../../../data/design.js';
import type { UpdateKind } from '../../../store/tables/transfer.js';
import { tables } from '../../../store/tables/registry.js';
import { readTable, type RunData } from '../../run-data.js';

/** One row of the table `transfer`: what an update with a definition does to the questions about its variable. */
export interface TransferRow {
  readonly step: number;
  readonly subset: string;
  readonly variable: number;
  /** Variable of the questions; another one than `variable` in the null. */
  readonly asked: number;
  readonly definition: string;
  readonly update: UpdateKind;
  readonly stepSize: number;
  readonly predicted: number;
  readonly curvature: number;
  readonly actual: number;
  readonly normUpdate: number;
  readonly normQuestions: number;
  /** NaN where it is absent, as the next. */
  readonly cosine: number;
  readonly preconditionedCosine: number;
}

/** Reads all rows; null for a run without the table. */
export async function readTransfer(run: RunData): Promise<TransferRow[] | null> {
  const names = [
    'step',
    'subset',
    'variable',
    'definition',
    'update',
    'step_size',
    'predicted',
    'curvature',
    'actual',
    'norm_update',
    'norm_questions',
    'cosine',
    'preconditioned_cosine',
  ] as const;
  // Runs that were probed by an older version have rows of matched pairs alone.
  const table = await readTable(run, tables.transfer, names, ['asked']);
  if (table === null) return null;
  const { columns } = table;
  const asked = columns.asked ?? columns.variable;
  const rows: TransferRow[] = [];
  for (let row = 0; row < table.rows; row++) {
    rows.push({
      step: columns.step[row]!,
      subset: columns.subset.text(row),
      variable: columns.variable[row]!,
      asked: asked[row]!,
      definition: columns.definition.text(row),
      update: columns.update.text(row) === 'sgd' ? 'sgd' : 'optimizer',
      stepSize: columns.step_size[row]!,
      predicted: columns.predicted[row]!,
      curvature: columns.curvature[row]!,
      actual: columns.actual[row]!,
      normUpdate: columns.norm_update[row]!,
      normQuestions: columns.norm_questions[row]!,
      cosine: columns.cosine.values[row]!,
      preconditionedCosine: columns.preconditioned_cosine.values[row]!,
    });
  }
  return rows;
}

/** The rows of one new variable, once with each tag, the same questions. */
export interface TagPairRows {
  readonly reliable: TransferRow;
  readonly unreliable: TransferRow;
}

/** Whether the questions are about the variable that is defined, or about another one of its subset. */
export type AskedAbout = 'own' | 'other';

/**
 * New variables (X2) with both tags: definitions as trained and with swapped tags, of one update and step size.
 *
 * @param design of the run that the rows are of
 */
export function tagPairs(
  rows: readonly TransferRow[],
  design: Design,
  update: UpdateKind,
  stepSize: number,
  about: AskedAbout = 'own',
): TagPairRows[] {
  const found = new Map<number, { reliable?: TransferRow; unreliable?: TransferRow }>();
  const fresh = new Set(newSubsets(design));
  for (const row of rows) {
    const isNew = fresh.has(row.subset);
    const isTagged = row.definition === 'definition' || row.definition === 'tag_swap';
    const isAsked = (row.asked === row.variable) === (about === 'own');
    if (!isNew || !isTagged || !isAsked || row.update !== update || row.stepSize !== stepSize) continue;
    const tag = shownTag(design, row.subset, row.definition === 'tag_swap');
    found.set(row.variable, { ...found.get(row.variable), [tag]: row });
  }
  return [...found.values()].flatMap(({ reliable, unreliable }) =>
    reliable === undefined || unreliable === undefined ? [] : [{ reliable, unreliable }],
  );
}

/** Step sizes of an update, ascending. */
export function stepSizesOf(rows: readonly TransferRow[], update: UpdateKind): number[] {
  const sizes = rows.filter((row) => row.update === update).map(({ stepSize }) => stepSize);
  return [...new Set(sizes)].toSorted((a, b) => a - b);
}
