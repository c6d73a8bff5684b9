import { designOf } from '../../../../data/internalization-design.js';
import { tables } from '../../../store/tables/registry.js';
import { readTable, type RunData } from '../../run-data.js';
import type { RunValue } from '../../quantity.js';
import type { SectionSpec } from '../../section.js';

/** Falls of the loss of one variable's questions over the stage with definitions only, nats. */
interface PathOfEntity {
  readonly subset: string;
  actual: number;
  predicted: number;
  trapezoidal: number;
  own: number;
  sameTag: number;
  otherTag: number;
}

const noTag = { kind: 'zero', label: '0, the tag does not matter' } as const;

/** The path integral of transfer over the stage with definitions only, against the change of the loss itself. */
export const transferPath: SectionSpec = {
  id: 'transferPath',
  title: ({ strong: [reliable, unreliable] }) =>
    `Transfer over the stage with definitions only: decrease of the loss of held-out questions, reliable (${reliable}) - unreliable tag ` +
    `(${unreliable}), and its path integral to first order, update by update; variables of the probe panel`,
  probe: 'transfer-path',
  quantities: [
    {
      id: 'gap',
      label: 'gap by tag in the decrease of the loss over the stage',
      shortLabel: 'gap by tag',
      unit: 'nats',
      null: noTag,
    },
    {
      id: 'gap.predicted',
      label: 'path integral of the gap by tag over the stage',
      shortLabel: 'path integral',
      unit: 'nats',
      null: noTag,
    },
    {
      id: 'gap.trapezoidal',
      label: 'trapezoidal path integral of the gap by tag over the stage',
      shortLabel: 'path integral, trapezoidal rule',
      unit: 'nats',
      null: noTag,
    },
    {
      id: 'gap.own',
      label: "own definitions' part of the path integral of the gap by tag",
      shortLabel: 'part of own definitions',
      unit: 'nats',
      null: {
        kind: 'measured',
        label: 'definitions of other variables with the same tag (mean over the panel)',
        key: 'gap.own.null',
      },
    },
    {
      id: 'gap.sameTag',
      label: 'other definitions of the panel with the same tag: their part of the path integral',
      shortLabel: 'part of others, same tag',
      unit: 'nats',
      null: noTag,
    },
    {
      id: 'gap.otherTag',
      label: 'definitions of the panel with the other tag: their part of the path integral',
      shortLabel: 'part of others, other tag',
      unit: 'nats',
      null: noTag,
    },
    {
      id: 'gap.rest',
      label: 'definitions outside the panel, and rounding: their part of the path integral',
      shortLabel: 'part from outside the panel',
      unit: 'nats',
      null: noTag,
    },
    {
      id: 'share.predicted',
      label: 'path integral / actual gap by tag over the stage, ratio of averages',
      shortLabel: 'path integral / actual',
      unit: '1',
      null: null,
    },
    {
      id: 'share.own',
      label: "own definitions' part / actual gap by tag over the stage, ratio of averages",
      shortLabel: 'own definitions / actual',
      unit: '1',
      null: null,
    },
    {
      id: 'closure',
      label: 'error of the trapezoidal path integral, mean size over variables / mean size of the decrease',
      shortLabel: 'error of the trapezoidal rule',
      unit: '1',
      null: null,
    },
  ],
  notes: () => [
    'The four parts (own, same tag, other tag, rest) add up to the path integral. Definitions of variables that the ' +
      'panel does not follow are in the rest.',
  ],
  measure: async (run) => {
    const paths = await readPaths(run);
    if (paths === null) return null;
    const { strong } = designOf(run.info);
    const gap = (pick: (path: PathOfEntity) => number): number | string => {
      const mean = (subset: string): number | null => {
        const own = paths.filter((path) => path.subset === subset).map(pick);
        return own.length === 0 ? null : own.reduce((sum, value) => sum + value, 0) / own.length;
      };
      const [reliable, unreliable] = [mean(strong[0]), mean(strong[1])];
      return reliable === null || unreliable === null
        ? `seed ${run.info.seed}: no path of ${strong.join(' or ')}`
        : reliable - unreliable;
    };
    const actual = gap((path) => path.actual);
    const share = (part: number | string): RunValue => {
      if (typeof part === 'string') return part;
      return typeof actual === 'string' ? actual : { numerator: part, denominator: actual };
    };
    const predicted = gap((path) => path.predicted);
    const own = gap((path) => path.own);
    const countOf = (subset: string): number => paths.filter((path) => path.subset === subset).length;
    const followed = strong.map(countOf);
    return {
      gap: actual,
      'gap.predicted': predicted,
      'gap.trapezoidal': gap((path) => path.trapezoidal),
      'gap.own': own,
      'gap.own.null': followed.some((count) => count < 2)
        ? 'the panel follows one variable of a subset'
        : gap((path) => path.sameTag / (countOf(path.subset) - 1)),
      'gap.sameTag': gap((path) => path.sameTag),
      'gap.otherTag': gap((path) => path.otherTag),
      'gap.rest': gap((path) => path.predicted - path.own - path.sameTag - path.otherTag),
      'share.predicted': share(predicted),
      'share.own': share(own),
      closure: closure(paths),
    };
  },
};

/** `sum_e |trapezoidal_e - actual_e| / sum_e |actual_e|`, which is small without an effect of the tag, too. */
function closure(paths: readonly PathOfEntity[]): RunValue {
  const sum = (size: (path: PathOfEntity) => number): number =>
    paths.reduce((total, path) => total + Math.abs(size(path)), 0);
  const change = sum(({ actual }) => actual);
  return change === 0
    ? 'the loss did not change'
    : sum(({ trapezoidal, actual }) => trapezoidal - actual) / change;
}

/** Falls of each variable of the panel, summed over the stage; null for a run without the table. */
async function readPaths(run: RunData): Promise<PathOfEntity[] | null> {
  const parts = ['predicted', 'midpoint', 'own', 'same_tag', 'other_tag', 'loss', 'start_loss'] as const;
  const table = await readTable(run, tables.transfer_path, ['subset', 'variable', ...parts]);
  if (table === null || table.rows === 0) return null;
  const { columns } = table;
  const { subset, variable } = columns;
  const paths = new Map<number, PathOfEntity>();
  for (let row = 0; row < table.rows; row++) {
    const path = paths.get(variable[row]!) ?? {
      subset: subset.text(row),
      actual: 0,
      predicted: 0,
      trapezoidal: 0,
      own: 0,
      sameTag: 0,
      otherTag: 0,
    };
    path.predicted -= columns.predicted[row]!;
    // The column holds the mean of both ends of an update: the trapezoidal rule.
    path.trapezoidal -= columns.midpoint[row]!;
    path.own -= columns.own[row]!;
    path.sameTag -= columns.same_tag[row]!;
    path.otherTag -= columns.other_tag[row]!;
    // Rows are in the order of the updates: the last one stays.
    path.actual = columns.start_loss[row]! - columns.loss[row]!;
    paths.set(variable[row]!, path);
  }
  return [...paths.values()];
}
