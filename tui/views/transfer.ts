import { shownTag, type Design, type ShownTag } from '../../data/design.js';
import { designOf } from '../../data/internalization-design.js';
import { programCommand } from '../../data/shell-word.js';
import { endOfQuestions } from '../../data/stage-roles.js';
import { explainedFraction } from '../../src/analysis/measures/explained-fraction.js';
import { meanOverSeeds } from '../../src/analysis/inference/seeds/mean.js';
import { tables } from '../../src/store/tables/registry.js';
import type { TypedTable } from '../../src/store/typed-table.js';
import { formatNumber } from '../../src/report/text/numbers.js';
import type { RunSource } from '../data/run-source.js';
import type { ViewContext, ViewSpec } from '../view/context.js';
import { drawList } from '../view/draw-list.js';
import type { ScatterFigure } from '../view/figure.js';
import { figurePicture } from '../view/figure-panel.js';
import { integerColumn, numberColumn, textColumn, type List } from '../view/list.js';
import { cut } from '../view/layout.js';
import {
  chosen,
  messagePanel,
  wrapped,
  type Choices,
  type ViewPanel,
  type ViewModel,
} from '../view/picture.js';
import { intervalText, quantityLines } from '../view/quantities.js';
import { signed } from '../view/text.js';
import { paint } from '../view/style.js';
import { noPath, transferPathPanel } from './transfer/path.js';
import { pathsOf, versionsOf } from '../view/arms.js';

/** Does a step on a definition change the loss of its questions as predicted? */
export const transferView: ViewSpec = {
  id: 'transfer',
  short: 'trans',
  question: 'Does a step on a definition change the loss of its questions as predicted?',
  load,
};

const transferColumns = [
  'step',
  'subset',
  'variable',
  'definition',
  'step_size',
  'predicted',
  'actual',
  'loss',
] as const;

async function load(context: ViewContext): Promise<ViewModel> {
  const { current, shown } = context;
  if (current === null) return { panels: [messagePanel('scatter', '', ['There is no run to look at.'])] };
  const table = await readTransfer(current);
  if (table === null || table.rows === 0) {
    const reason = `No table transfer: steps on single definitions are measured at checkpoints by ${programCommand('probe', current.entry.path)}`;
    return { panels: [messagePanel('predicted against actual', '', [reason])] };
  }
  const all: TransferTable[] = [];
  for (const run of shown) {
    const own = await readTransfer(run);
    if (own !== null) all.push(own);
  }
  const cases = casesOf(table);
  const last = endOfQuestions(current.info);
  const choices: Choices = {
    name: 'checkpoint and step size',
    values: cases.map(({ step, update, size }) =>
      update === 'sgd' ? `step ${step}, size ${formatNumber(size)}` : `step ${step}, ${update}`,
    ),
    initial: Math.max(
      0,
      cases.findIndex(({ step }) => step === last),
    ),
  };
  const path = (await transferPathPanel(context, current, shown)) ?? noPath(current);
  const design = designOf(current.info);
  return {
    panels: [
      scatterPanel(context, design, choices, cases, all),
      listPanel(design, choices, cases, table),
      path,
    ],
  };
}

/** Columns that runs of earlier versions do not have. */
const later = ['update', 'curvature', 'asked'] as const;

type TransferTable = TypedTable<
  typeof tables.transfer,
  (typeof transferColumns)[number],
  (typeof later)[number]
>;

const readTransfer = (run: RunSource): Promise<TransferTable | null> =>
  run.tables.read(tables.transfer, transferColumns, later);

/** `sgd`, a plain gradient step, or `optimizer`, the example's share in an update of the stage. */
const updateOf =
  ({ columns: { update } }: TransferTable) =>
  (row: number): string =>
    update === null ? 'sgd' : update.text(row);

interface Case {
  readonly step: number;
  readonly update: string;
  readonly size: number;
}

/** Checkpoints and step sizes of the table, ascending. */
function casesOf(table: TransferTable): Case[] {
  const { step, step_size: size } = table.columns;
  const update = updateOf(table);
  const found = new Map(
    Array.from(step, (own, row) => [
      `${own} ${update(row)} ${size[row]}`,
      { step: own, update: update(row), size: size[row]! },
    ]),
  );
  return [...found.values()].toSorted(
    (a, b) => a.step - b.step || b.update.localeCompare(a.update) || a.size - b.size,
  );
}

interface Row {
  readonly subset: string;
  readonly variable: number;
  readonly definition: string;
  readonly predicted: number;
  /** Second-order part; NaN where it was not measured. */
  readonly curvature: number;
  readonly actual: number;
  readonly loss: number;
}

function rowsOfCase(table: TransferTable, { step, size, update }: Case): Row[] {
  const updates = updateOf(table);
  const { curvature, asked, step: steps, step_size: sizes, subset, variable, definition } = table.columns;
  const { predicted, actual, loss } = table.columns;
  const rows: Row[] = [];
  for (let row = 0; row < table.rows; row++) {
    if (steps[row] !== step || sizes[row] !== size || updates(row) !== update) continue;
    // Rows of other variables' questions are the null of the analysis.
    if (asked !== null && asked[row] !== variable[row]) continue;
    rows.push({
      subset: subset.text(row),
      variable: variable[row]!,
      definition: definition.text(row),
      predicted: predicted[row]!,
      curvature: curvature?.[row] ?? NaN,
      actual: actual[row]!,
      loss: loss[row]!,
    });
  }
  return rows;
}

/** Which tag the definition of a row carries, where it carries one of the two. */
function tagOf(design: Design, { subset, definition }: Row): ShownTag {
  if (definition !== 'definition' && definition !== 'tag_swap') return 'other';
  return shownTag(design, subset, definition === 'tag_swap');
}

function scatterPanel(
  context: ViewContext,
  design: Design,
  choices: Choices,
  cases: readonly Case[],
  all: readonly TransferTable[],
): ViewPanel {
  return {
    title: 'predicted against actual',
    question:
      'Does one step on a definition change the loss of its questions by -epsilon g_q . g_d? Null: no change, 0.',
    choices,
    drills: null,
    draw(state, box, style) {
      const own = cases[chosen(this, state.panel, state)]!;
      const runs = all.map((table) => rowsOfCase(table, own));
      const rows = runs.flat();
      const groups = [
        ['reliable tag', (row: Row) => tagOf(design, row) === 'reliable'],
        ['unreliable tag', (row: Row) => tagOf(design, row) === 'unreliable'],
        ['other definitions', (row: Row) => tagOf(design, row) === 'other'],
      ] as const;
      const figure: ScatterFigure = {
        kind: 'scatter',
        title: `transfer at step ${own.step}, step size ${formatNumber(own.size)}`,
        note: `one point per variable and definition, of ${runs.length} ${runs.length === 1 ? 'seed' : 'seeds'}`,
        series: groups.flatMap(([name, keep]) => {
          const kept = rows.filter(keep);
          return kept.length === 0
            ? []
            : [{ name, x: kept.map(({ predicted }) => predicted), y: kept.map(({ actual }) => actual) }];
        }),
        curves: [],
        identity: true,
        xLabel: 'predicted change of the loss, nats',
        yLabel: 'actual change, nats',
        logX: false,
        logY: false,
      };
      const fraction = meanOverSeeds(
        runs.flatMap((one) => {
          const value = explainedFraction(
            one.map(({ predicted }) => predicted),
            one.map(({ actual }) => actual),
          );
          return typeof value === 'number' ? [value] : [];
        }),
      );
      const seeds = `${runs.length} ${runs.length === 1 ? 'seed' : 'seeds'}`;
      const explained =
        fraction.kind === 'absent'
          ? `explained fraction of all definitions on the chart: absent, ${fraction.reason}`
          : fraction.interval === null
            ? `explained fraction of all definitions on the chart: ${formatNumber(fraction.estimate)} (no interval: ${fraction.missing}); 1: it closes`
            : `explained fraction of all definitions on the chart: ${formatNumber(fraction.estimate)} ${intervalText({ ...fraction }, false)} over ${seeds}; 1: it closes`;
      const section = context.want(`transfer ${pathsOf(context.arm)}`, versionsOf(context.arm), () =>
        context.numbers.section(context.arm, 'transfer'),
      );
      const table = [
        ...wrapped(explained, box.width),
        ...(section.kind === 'value' && section.value !== null
          ? [
              ...quantityLines(section.value, { width: box.width, style, seed: context.current?.seed }),
              paint(
                cut(
                  `table: new variables, end of the stage with questions; from: ${section.value.source}`,
                  box.width,
                  style,
                ),
                'dim',
                style,
              ),
            ]
          : [section.kind === 'failed' ? section.reason : 'measuring ...']),
      ];
      return figurePicture(figure, table, state, box, style);
    },
  };
}

/** Nothing for a definition with neither tag. */
function tagWord(tag: ShownTag): string {
  return tag === 'other' ? '' : tag;
}

function listPanel(
  design: Design,
  choices: Choices,
  cases: readonly Case[],
  table: TransferTable,
): ViewPanel {
  const lists = new Map<number, List>();
  const listOf = (place: number): List => {
    const known = lists.get(place);
    if (known !== undefined) return known;
    const rows = rowsOfCase(table, cases[place]!);
    const own = (row: number): Row => rows[row]!;
    const list: List = {
      length: rows.length,
      id: () => null,
      columns: [
        integerColumn('variable', (row) => own(row).variable),
        textColumn('subset', (row) => own(row).subset, 12),
        textColumn('definition', (row) => own(row).definition, 12),
        textColumn('tag', (row) => tagWord(tagOf(design, own(row))), 10),
        signed('predicted', (row) => own(row).predicted, 'nats'),
        signed('curvature', (row) => own(row).curvature, 'nats'),
        signed('actual', (row) => own(row).actual, 'nats'),
        numberColumn('predicted/actual', '1', (row) => own(row).predicted / own(row).actual, undefined, 16),
        numberColumn('loss before', 'nats', (row) => own(row).loss),
      ],
    };
    lists.set(place, list);
    return list;
  };
  return {
    title: 'variables',
    question: 'Which variables transfer, and where does the prediction fail? Changes of the loss in nats.',
    choices,
    drills: null,
    draw(state, box, style) {
      return drawList({ list: listOf(chosen(this, state.panel, state)), state, box, style });
    },
  };
}
