import { fitText } from '../../src/report/charts/text-width.js';
import { formatNumber } from '../../src/report/text/numbers.js';
import type { RunEntry } from '../data/run-index.js';
import { pathsOf, versionsOf } from '../view/arms.js';
import { comparePanel } from './compare.js';
import type { ViewContext, ViewSpec } from '../view/context.js';
import { drawList } from '../view/draw-list.js';
import { figureAbove, cut } from '../view/layout.js';
import { numberColumn, textColumn, type List } from '../view/list.js';
import type { ViewPanel } from '../view/picture.js';
import { quantityLines } from '../view/quantities.js';
import { paint, signs, type Style } from '../view/style.js';

/** Runs of a folder, with what they show. */
export const runsView: ViewSpec = {
  id: 'runs',
  short: 'runs',
  question: 'Which runs are there, how far are they, and what do they show?',
  load: (context) => Promise.resolve({ panels: [runsPanel(context), comparePanel(context)] }),
};

/** `12 s`, `5 min`, `3 h`, `12 d`. */
export function formatAge(milliseconds: number): string {
  const seconds = Math.max(0, milliseconds / 1000);
  if (seconds < 100) return `${Math.round(seconds)} s`;
  if (seconds < 6000) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}

function runsPanel(context: ViewContext): ViewPanel {
  const { entries } = context;
  return {
    title: 'runs',
    question: 'Which runs are there, how far are they, and what do they show?',
    choices: null,
    drills: 'training',
    draw(state, box, style) {
      const list = runList(context, style);
      const summary = armLines(context, box.width, style);
      const { figure, below } = figureAbove(box, summary, style);
      const picture = drawList({
        list,
        state,
        box: figure,
        style,
        marked: (id) => context.marked.has(id),
        empty: `no run in ${context.root}; start one: npx gradscope run configs/set-inclusion-smoke.yaml --seed 0`,
      });
      return { ...picture, lines: [...picture.lines, ...below] };
    },
  };

  function runList(own: ViewContext, style: Style): List {
    const entry = (row: number): RunEntry => entries[row]!;
    const gap = (key: 'weak' | 'strong' | 'alignment') => (row: number) =>
      own.quick(entry(row).path)?.[key] ?? null;
    const gapText = (key: 'weak' | 'strong' | 'alignment') => (row: number) => {
      const { path, info } = entry(row);
      const quick = own.quick(path);
      if (info === null) return '';
      if (quick === null) return signs(style).more;
      const value = quick[key];
      return value === null ? '' : formatNumber(value, true);
    };
    const done = (row: number): number | null => {
      const { info } = entry(row);
      return info === null || info.stepsTotal === 0 ? null : info.stepsDone / info.stepsTotal;
    };
    return {
      length: entries.length,
      id: (row) => entry(row).path,
      columns: [
        textColumn('run', (row) => entry(row).name, 40),
        textColumn('status', (row) => statusText(entry(row)), 12),
        numberColumn(
          'last',
          'ms',
          (row) => entry(row).lastSample,
          (row) => {
            const { lastSample } = entry(row);
            return lastSample === null ? '' : formatAge(own.now() - lastSample);
          },
        ),
        numberColumn(
          'done',
          '%',
          (row) => {
            const share = done(row);
            return share === null ? null : 100 * share;
          },
          (row) => {
            const share = done(row);
            return share === null ? '' : `${Math.floor(100 * share)} %`;
          },
        ),
        numberColumn('weak gap', 'accuracy', gap('weak'), gapText('weak')),
        numberColumn('strong gap', 'accuracy', gap('strong'), gapText('strong')),
        numberColumn('align. gap', '1', gap('alignment'), gapText('alignment')),
        numberColumn(
          'batch',
          'examples',
          (row) => entry(row).info?.stages[0]?.batchSize ?? null,
          (row) => [...new Set(entry(row).info?.stages.map(({ batchSize }) => batchSize) ?? [])].join('/'),
        ),
        numberColumn(
          'seed',
          '1',
          (row) => entry(row).info?.seed ?? null,
          (row) => String(entry(row).info?.seed ?? ''),
        ),
        textColumn('engine', (row) => entry(row).info?.engine ?? '', 36),
        textColumn('experiment', (row) => entry(row).info?.experiment ?? '', 20),
      ],
    };
  }
}

/** One word where there is one: the list is narrow. */
function statusText({ status, error, exchanged }: RunEntry): string {
  if (error !== null) return 'unreadable';
  if (exchanged?.isRunning === true) return 'exchanging';
  return status === 'interrupted (process gone)' ? 'crashed' : status;
}

/** The arm of the run under the cursor: gaps over seeds with intervals and nulls; why a run cannot be read. */
function armLines(context: ViewContext, width: number, style: Style): string[] {
  const { current, arm, numbers } = context;
  if (current === null)
    return context.entries.flatMap(({ error }) => (error === null ? [] : [error])).slice(0, 3);
  const wanted = context.want(`arm gaps ${pathsOf(arm)}`, versionsOf(arm), async () => ({
    internalization: await numbers.section(arm, 'internalization'),
    alignment: await numbers.section(arm, 'alignment'),
  }));
  const head = paint(
    fitText(
      `${current.info.experiment} ${current.info.name}: ${arm.length} ${arm.length === 1 ? 'seed' : 'seeds'}; gaps in accuracy at stage ends, align. gap: cosine, tag swapped`,
      width,
      signs(style).more,
    ).trimEnd(),
    'bold',
    style,
  );
  if (wanted.kind === 'pending') return ['', head, 'measuring ...'];
  if (wanted.kind === 'failed') return ['', head, wanted.reason];
  const { internalization, alignment } = wanted.value;
  const quantities = [
    ...(internalization?.quantities.filter(({ unit }) => unit === 'accuracy') ?? []),
    ...(alignment?.quantities.filter(({ id }) => id === 'alignment.tagSwapGap.all') ?? []),
  ];
  const source = internalization?.source ?? alignment?.source ?? '';
  return [
    '',
    head,
    ...quantityLines(
      { id: '', title: '', notes: [], quantities },
      { width, style, seed: current.seed, fullLabels: true },
    ).filter((line) => !line.includes('null: ')),
    paint(
      cut(`null: 0, and for the align. gap questions of other variables; from: ${source}`, width, style),
      'dim',
      style,
    ),
  ];
}
