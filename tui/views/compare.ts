import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { pairedDifference } from '../../src/analysis/inference/seeds/mean.js';
import { pairBySeed } from '../../src/analysis/inference/seeds/pair-by-seed.js';
import { formatNumber } from '../../src/report/text/numbers.js';
import type { ArmSection } from '../data/arm-numbers.js';
import { drawList } from '../view/draw-list.js';
import { textColumn, type List } from '../view/list.js';
import { armsOf, pathsOf, versionsOf, type ShownArm } from '../view/arms.js';
import type { ViewContext } from '../view/context.js';
import { messagePanel, type ViewPanel } from '../view/picture.js';
import { intervalText } from '../view/quantities.js';

const question = 'What differs between the selected runs: config, numbers?';

/** Sections whose quantities are compared; all of small tables. */
const compared = ['internalization', 'alignment', 'transfer'];

interface Row {
  readonly name: string;
  readonly unit: string;
  /** `[arm]`, and with two arms their difference. */
  readonly cells: readonly string[];
}

interface Comparison {
  readonly arms: readonly ShownArm[];
  readonly rows: readonly Row[];
}

/** Selected runs side by side, runs of one config as mean and interval over their seeds. */
export function comparePanel(context: ViewContext): ViewPanel {
  const { shown, marked } = context;
  if (marked.size < 2) {
    return messagePanel('compare', question, [
      'Select two runs or more with space in the list of runs, then press c.',
    ]);
  }
  const lists = new WeakMap<Comparison, List>();
  return {
    title: 'compare',
    question,
    choices: null,
    drills: null,
    draw(state, box, style) {
      const wanted = context.want(
        `compare ${pathsOf(shown)}`,
        versionsOf(shown),
        async (): Promise<Comparison> => {
          const arms = await armsOf(shown);
          return { arms, rows: [...(await configRows(arms)), ...(await numberRows(context, arms))] };
        },
      );
      if (wanted.kind !== 'value') {
        const reason = wanted.kind === 'failed' ? wanted.reason : 'measuring ...';
        return messagePanel('', '', [reason]).draw(state, box, style);
      }
      const list = lists.get(wanted.value) ?? comparisonList(wanted.value);
      lists.set(wanted.value, list);
      return drawList({ list, state, box, style, empty: 'the runs do not differ' });
    },
  };
}

function comparisonList({ arms, rows }: Comparison): List {
  return {
    length: rows.length,
    id: () => null,
    columns: [
      textColumn('what', (row) => rows[row]!.name, 40),
      textColumn('unit', (row) => rows[row]!.unit, 10),
      ...(arms.length === 2
        ? [textColumn(`${arms[0]!.name} - ${arms[1]!.name}, by seed`, (row) => rows[row]!.cells[2] ?? '', 40)]
        : []),
      ...arms.map(({ name, runs }, arm) =>
        textColumn(
          runs.length === 1 ? runs[0]!.name : `${name}, ${runs.length} seeds`,
          (row) => rows[row]!.cells[arm]!,
          40,
        ),
      ),
    ],
  };
}

/** Entries of the configs that are not the same in all arms; the seed is none of the config. */
async function configRows(arms: readonly ShownArm[]): Promise<Row[]> {
  // Loaded when runs are compared: the first screen does not wait for it.
  const { parse } = await import('yaml');
  const configs = await Promise.all(
    arms.map(async ({ runs }) => {
      const text = await readFile(path.join(runs[0]!.entry.path, 'config.yaml'), 'utf8').catch(() => '');
      return flatten(parse(text));
    }),
  );
  const keys = new Set(configs.flatMap((config) => [...config.keys()]));
  return [...keys]
    .filter((key) => new Set(configs.map((config) => config.get(key))).size > 1)
    .map((key) => ({ name: key, unit: '', cells: configs.map((config) => config.get(key) ?? '(not set)') }));
}

function flatten(value: unknown, prefix = ''): Map<string, string> {
  if (typeof value !== 'object' || value === null) return new Map([[prefix, String(value)]]);
  return new Map(
    Object.entries(value).flatMap(([key, own]) => [
      ...flatten(own, prefix === '' ? key : `${prefix}.${key}`),
    ]),
  );
}

async function numberRows(context: ViewContext, arms: readonly ShownArm[]): Promise<Row[]> {
  const rows: Row[] = [];
  for (const section of compared) {
    const sections: (ArmSection | null)[] = [];
    for (const { runs } of arms) sections.push(await context.numbers.section(runs, section));
    const first = sections.find((own) => own !== null);
    for (const { id, label, unit } of first?.quantities ?? []) {
      const cells = sections.map((section) => {
        const own = section?.quantities.find((one) => one.id === id);
        if (own === undefined || own.estimate.kind === 'absent') return '';
        const mean = formatNumber(own.estimate.estimate, own.null !== null);
        return own.estimate.interval === null
          ? mean
          : `${mean} ${intervalText(own.estimate, own.null !== null)}`;
      });
      if (cells.every((cell) => cell === '')) continue;
      const difference = arms.length === 2 ? [differenceText(sections, id)] : [];
      rows.push({ name: label, unit: unit === '1' ? '' : unit, cells: [...cells, ...difference] });
    }
  }
  return rows;
}

/** Difference of two arms over the seeds that both have, with its t interval. */
function differenceText([first, second]: readonly (ArmSection | null)[], id: string): string {
  const bySeed = (section: ArmSection | null | undefined): Map<number, number> =>
    new Map(
      section?.quantities
        .find((quantity) => quantity.id === id)
        ?.seeds.flatMap(({ seed, value }) => (value === null ? [] : [[seed, value] as const])) ?? [],
    );
  const { seeds, treated, control } = pairBySeed(bySeed(first), bySeed(second));
  const estimate = pairedDifference(treated, control);
  if (estimate.kind === 'absent') return '';
  const mean = formatNumber(estimate.estimate, true);
  return estimate.interval === null
    ? mean
    : `${mean} ${intervalText({ ...estimate }, true)}, ${seeds.length} seeds`;
}
