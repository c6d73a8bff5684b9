import type { UpdateKind } from '../store/panel-names.js';
import { hasColumns, readTable, type RunData } from './run-data.js';

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
  const numbers = [
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
  const hasAsked = await hasColumns(run, 'transfer', ['asked']);
  const columns = await readTable(run, 'transfer', [
    'step',
    'subset',
    'variable',
    ...(hasAsked ? ['asked'] : []),
    'definition',
    'update',
    ...numbers,
  ]);
  if (columns === null) return null;
  const step = columns.column('step', 'int32').values;
  const variable = columns.column('variable', 'int32').values;
  const asked = hasAsked ? columns.column('asked', 'int32').values : variable;
  const text = (name: string): ((row: number) => string) => {
    const { values, indices } = columns.column(name, 'dictionary');
    return (row) => values[indices[row]!]!;
  };
  const [subset, definition, update] = [text('subset'), text('definition'), text('update')];
  const [stepSize, predicted, curvature, actual, normUpdate, normQuestions, cosine, preconditioned] =
    numbers.map((name) => columns.column(name, 'float64').values);
  const rows: TransferRow[] = [];
  for (let row = 0; row < columns.rows; row++) {
    rows.push({
      step: step[row]!,
      subset: subset(row),
      variable: variable[row]!,
      asked: asked[row]!,
      definition: definition(row),
      update: update(row) === 'sgd' ? 'sgd' : 'optimizer',
      stepSize: stepSize![row]!,
      predicted: predicted![row]!,
      curvature: curvature![row]!,
      actual: actual![row]!,
      normUpdate: normUpdate![row]!,
      normQuestions: normQuestions![row]!,
      cosine: cosine![row]!,
      preconditionedCosine: preconditioned![row]!,
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

/** New variables (X2) with both tags: definitions as trained and with swapped tags, of one update and step size. */
export function tagPairs(
  rows: readonly TransferRow[],
  update: UpdateKind,
  stepSize: number,
  about: AskedAbout = 'own',
): TagPairRows[] {
  const found = new Map<number, { reliable?: TransferRow; unreliable?: TransferRow }>();
  for (const row of rows) {
    const isNew = row.subset === 'd1consis' || row.subset === 'd2consis';
    const isTagged = row.definition === 'definition' || row.definition === 'tag_swap';
    const isAsked = (row.asked === row.variable) === (about === 'own');
    if (!isNew || !isTagged || !isAsked || row.update !== update || row.stepSize !== stepSize) continue;
    const tag = (row.subset === 'd1consis') === (row.definition === 'definition') ? 'reliable' : 'unreliable';
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
