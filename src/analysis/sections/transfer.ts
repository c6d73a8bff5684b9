import { explainedFraction } from '../measures/explained-fraction.js';
import { endOfQuestions, readTable, type RunData } from '../run-data.js';
import type { SectionSpec } from '../section.js';

/** Step size at which the first-order prediction is held against the change itself: the smallest that was measured. */
interface Row {
  readonly subset: string;
  readonly definition: string;
  readonly predicted: number;
  readonly actual: number;
  readonly stepSize: number;
}

/** What one update with a definition's gradient does to the loss of the questions about its variable. */
export const transfer: SectionSpec = {
  name: 'transfer',
  title:
    'Fall of the loss of held-out questions after one gradient step on the definition, per unit of learning rate, new ' +
    'variables (end of the stage with questions)',
  quantities: [
    {
      key: 'gap',
      name: 'fall with the reliable - the unreliable tag',
      unit: 'nats',
      null: { kind: 'zero', name: '0, the tag does not matter' },
    },
    { key: 'predicted gap', name: 'the same as predicted to first order', unit: 'nats', null: null },
    {
      key: 'reliable',
      name: 'fall, reliable tag',
      unit: 'nats',
      null: { kind: 'zero', name: '0, no transfer' },
    },
    {
      key: 'unreliable',
      name: 'fall, unreliable tag',
      unit: 'nats',
      null: { kind: 'zero', name: '0, no transfer' },
    },
    { key: 'explained', name: 'predicted / actual, smallest step', unit: '1', null: null },
    { key: 'explained large', name: 'predicted / actual, largest step', unit: '1', null: null },
  ],
  measure: async (run) => {
    const rows = await readRows(run);
    if (rows === null) return null;
    if (rows.length === 0) {
      const reason = `seed ${run.info.seed}: no transfer was measured at the end of the stage with questions`;
      return Object.fromEntries(transfer.quantities.map(({ key }) => [key, reason]));
    }
    const sizes = [...new Set(rows.map(({ stepSize }) => stepSize))].toSorted((a, b) => a - b);
    const [smallest, largest] = [sizes[0]!, sizes.at(-1)!];
    const fall = (tag: 'reliable' | 'unreliable', which: 'predicted' | 'actual'): number => {
      const own = rows.filter(
        ({ subset, definition, stepSize }) =>
          stepSize === smallest &&
          ((subset === 'd1consis') === (definition === 'definition')) === (tag === 'reliable'),
      );
      return -own.reduce((sum, row) => sum + row[which], 0) / own.length / smallest;
    };
    const explained = (size: number): number | string => {
      const own = rows.filter(({ stepSize }) => stepSize === size);
      return explainedFraction(
        own.map(({ predicted }) => predicted),
        own.map(({ actual }) => actual),
      );
    };
    return {
      gap: fall('reliable', 'actual') - fall('unreliable', 'actual'),
      'predicted gap': fall('reliable', 'predicted') - fall('unreliable', 'predicted'),
      reliable: fall('reliable', 'actual'),
      unreliable: fall('unreliable', 'actual'),
      explained: explained(smallest),
      'explained large': explained(largest),
    };
  },
};

/** Transfer to new variables at the end of the stage with questions, definitions as trained and with swapped tags. */
async function readRows(run: RunData): Promise<Row[] | null> {
  const columns = await readTable(run, 'transfer', [
    'step',
    'subset',
    'definition',
    'step_size',
    'predicted',
    'actual',
  ]);
  if (columns === null) return null;
  const last = endOfQuestions(run.info);
  const step = columns.column('step', 'int32').values;
  const [subset, definition] = [
    columns.column('subset', 'dictionary'),
    columns.column('definition', 'dictionary'),
  ];
  const [stepSize, predicted, actual] = ['step_size', 'predicted', 'actual'].map(
    (name) => columns.column(name, 'float64').values,
  );
  const rows: Row[] = [];
  for (let row = 0; row < columns.rows; row++) {
    const own = {
      subset: subset.values[subset.indices[row]!]!,
      definition: definition.values[definition.indices[row]!]!,
      predicted: predicted![row]!,
      actual: actual![row]!,
      stepSize: stepSize![row]!,
    };
    const relevant =
      step[row] === last &&
      (own.subset === 'd1consis' || own.subset === 'd2consis') &&
      (own.definition === 'definition' || own.definition === 'tag_swap');
    if (relevant) rows.push(own);
  }
  return rows;
}
