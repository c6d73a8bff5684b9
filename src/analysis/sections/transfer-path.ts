import { explainedFraction } from '../measures/explained-fraction.js';
import { readTable, type RunData } from '../run-data.js';
import type { RunValue } from '../quantity.js';
import type { SectionSpec } from '../section.js';

/** Falls of the loss of one variable's questions over the stage with definitions only, nats. */
interface PathOfEntity {
  readonly subset: string;
  actual: number;
  predicted: number;
  midpoint: number;
  own: number;
  sameTag: number;
  otherTag: number;
}

const noTag = { kind: 'zero', name: '0, the tag does not matter' } as const;

/** The path integral of transfer over the stage with definitions only, against the change of the loss itself. */
export const transferPath: SectionSpec = {
  name: 'transfer-path',
  title:
    'Fall of the loss of held-out questions over the stage with definitions only, and what first order makes of it, ' +
    'update by update',
  quantities: [
    {
      key: 'gap',
      name: 'fall over the stage, reliable - unreliable tag',
      unit: 'nats',
      null: noTag,
    },
    { key: 'predicted gap', name: 'path integral of it', unit: 'nats', null: noTag },
    { key: 'midpoint gap', name: 'path integral, midpoint rule', unit: 'nats', null: noTag },
    { key: 'own gap', name: "of it by the variables' own definitions", unit: 'nats', null: noTag },
    { key: 'same gap', name: 'of it by others with the same tag', unit: 'nats', null: noTag },
    { key: 'other gap', name: 'of it by those with the other tag', unit: 'nats', null: noTag },
    { key: 'explained', name: 'gap: path integral / actual', unit: '1', null: null },
    {
      key: 'explained midpoint',
      name: 'gap: midpoint rule / actual - 1',
      unit: '1',
      null: { kind: 'zero', name: '0, it closes' },
    },
    { key: 'explained own', name: 'gap: own definitions / actual', unit: '1', null: null },
  ],
  measure: async (run) => {
    const paths = await readPaths(run);
    if (paths === null) return null;
    const gap = (pick: (path: PathOfEntity) => number): RunValue => {
      const mean = (subset: string): number | null => {
        const own = paths.filter((path) => path.subset === subset).map(pick);
        return own.length === 0 ? null : own.reduce((sum, value) => sum + value, 0) / own.length;
      };
      const [reliable, unreliable] = [mean('d1consis'), mean('d2consis')];
      return reliable === null || unreliable === null
        ? `seed ${run.info.seed}: no path of d1consis or d2consis`
        : reliable - unreliable;
    };
    const actual = gap((path) => path.actual);
    const share = (pick: (path: PathOfEntity) => number, less = 0): RunValue => {
      const part = gap(pick);
      if (typeof part !== 'number' || typeof actual !== 'number') return part;
      const fraction = explainedFraction([part], [actual]);
      return typeof fraction === 'string' ? fraction : fraction - less;
    };
    return {
      gap: actual,
      'predicted gap': gap((path) => path.predicted),
      'midpoint gap': gap((path) => path.midpoint),
      'own gap': gap((path) => path.own),
      'same gap': gap((path) => path.sameTag),
      'other gap': gap((path) => path.otherTag),
      explained: share((path) => path.predicted),
      'explained midpoint': share((path) => path.midpoint, 1),
      'explained own': share((path) => path.own),
    };
  },
};

/** Falls of each variable of the panel, summed over the stage; null for a run without the table. */
async function readPaths(run: RunData): Promise<PathOfEntity[] | null> {
  const parts = ['predicted', 'midpoint', 'own', 'same_tag', 'other_tag', 'loss', 'start_loss'] as const;
  const columns = await readTable(run, 'transfer_path', ['subset', 'variable', ...parts]);
  if (columns === null || columns.rows === 0) return null;
  const subset = columns.column('subset', 'dictionary');
  const variable = columns.column('variable', 'int32').values;
  const [predicted, midpoint, own, sameTag, otherTag, loss, start] = parts.map(
    (name) => columns.column(name, 'float64').values,
  );
  const paths = new Map<number, PathOfEntity>();
  for (let row = 0; row < columns.rows; row++) {
    const path = paths.get(variable[row]!) ?? {
      subset: subset.values[subset.indices[row]!]!,
      actual: 0,
      predicted: 0,
      midpoint: 0,
      own: 0,
      sameTag: 0,
      otherTag: 0,
    };
    path.predicted -= predicted![row]!;
    path.midpoint -= midpoint![row]!;
    path.own -= own![row]!;
    path.sameTag -= sameTag![row]!;
    path.otherTag -= otherTag![row]!;
    // Rows are in the order of the updates: the last one stays.
    path.actual = start![row]! - loss![row]!;
    paths.set(variable[row]!, path);
  }
  return [...paths.values()];
}
