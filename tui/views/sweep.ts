import { registrationMarks } from '../../src/store/sweep-record.js';
import { explanationQuantities } from '../../src/analysis/sweep/evidence.js';
import type { ShownEstimate } from '../data/analysis-file.js';
import { readSweep, sweepsBeside, type ShownSweep, type SweepPlace } from '../data/sweep-file.js';
import type { ViewContext, ViewSpec } from '../view/context.js';
import { drawList } from '../view/draw-list.js';
import { cut, cutLines } from '../view/layout.js';
import { integerColumn, numberColumn, textColumn, type List } from '../view/list.js';
import {
  chosen,
  messagePanel,
  wrapped,
  type Picture,
  type ViewModel,
  type ViewPanel,
} from '../view/picture.js';
import { intervalText } from '../view/quantities.js';
import { numbers, texts } from '../../src/report/slice/slice.js';
import { paint, type Box, type Style } from '../view/style.js';
import type { ViewState } from '../view/state.js';
import { formatNumber, formatPValue } from '../../src/report/text/numbers.js';

/** Sweeps over the runs of an experiment, as `gradscope sweep` says it. */
export const sweepView: ViewSpec = {
  id: 'sweep',
  short: 'sweep',
  question: 'What do the arms of a sweep show, and which of its predictions do they support?',
  load,
};

async function load(context: ViewContext): Promise<ViewModel> {
  const { current } = context;
  if (current === null) return { panels: [messagePanel('verdicts', '', ['There is no run to look at.'])] };
  const places = await sweepsBeside(current.entry.path);
  if (places.length === 0) {
    return {
      panels: [
        messagePanel('verdicts', sweepView.question, [
          'No sweep of this experiment has results; npx gradscope sweep <file> trains one, and with --report makes them of the runs there are.',
        ]),
      ],
    };
  }
  const panel = (title: string, question: string, draw: DrawSweep): ViewPanel =>
    panelOf(context, places, title, question, draw);
  return {
    panels: [
      panel('verdicts', 'Which predictions do the runs support?', drawVerdicts),
      panel('arms', 'What does every arm show? Mean over seeds with its 95 % interval.', drawArms),
      panel('sweep runs', 'The numbers of the figure, run by run.', drawRuns),
    ],
  };
}

type DrawSweep = (sweep: ShownSweep, state: ViewState, box: Box, style: Style) => Picture;

/** A panel about the sweep that is chosen. */
function panelOf(
  context: ViewContext,
  places: readonly SweepPlace[],
  title: string,
  question: string,
  draw: DrawSweep,
): ViewPanel {
  // The sweep of the run that is looked at comes first.
  const own = places.findIndex(({ name }) => name === context.current?.info.sweep?.name);
  return {
    title,
    question,
    choices: { name: 'sweep', values: places.map(({ name }) => name), initial: Math.max(0, own) },
    drills: null,
    draw(state, box, style) {
      const place = places[chosen(this, state.panel, state)]!;
      const wanted = context.want(`sweep ${place.path}`, String(place.written), () => readSweep(place));
      const say = (line: string): Picture => messagePanel('', '', [line]).draw(state, box, style);
      if (wanted.kind !== 'value') return say(wanted.kind === 'failed' ? wanted.reason : 'reading ...');
      return typeof wanted.value === 'string' ? say(wanted.value) : draw(wanted.value, state, box, style);
    },
  };
}

const inks = { supports: 'good', contradicts: 'warning', inconclusive: 'dim' } as const;

function drawVerdicts({ verdicts, hash }: ShownSweep, state: ViewState, box: Box, style: Style): Picture {
  if (verdicts.length === 0) {
    return messagePanel('', '', ['The file of this sweep has no predictions.']).draw(state, box, style);
  }
  const indent = 14;
  const lines = verdicts.flatMap((own) => {
    const { verdict } = own;
    const ink =
      verdict === 'supports' || verdict === 'contradicts' || verdict === 'inconclusive'
        ? inks[verdict]
        : 'plain';
    return wrapped(verdictText(own), Math.max(20, box.width - indent)).map((line, i) =>
      i === 0 ? `${paint(verdict.padEnd(indent), ink, style)}${line}` : `${' '.repeat(indent)}${line}`,
    );
  });
  const page = box.height - 1;
  const top = Math.max(0, Math.min(state.row, lines.length - page));
  const foot = `sha256 of arms and predictions: ${hash.slice(0, 12)}...; p by Holm over ${verdicts.length} predictions`;
  return {
    lines: [...cutLines(lines.slice(top), page, style, 1), paint(cut(foot, box.width, style), 'dim', style)],
    list: {
      length: lines.length,
      page,
      row: top,
      id: null,
      columns: [],
      column: 0,
      numeric: [],
      placeOf: null,
    },
    axis: null,
    figure: null,
    slice: () => ({
      columns: [
        texts(
          'prediction',
          verdicts.map(({ prediction }) => prediction.id),
        ),
        texts(
          'contrast',
          verdicts.map(({ contrast }) => contrast),
        ),
        texts(
          'predicted',
          verdicts.map(({ prediction }) => prediction.predicted),
        ),
        texts(
          'verdict',
          verdicts.map(({ verdict }) => verdict),
        ),
        numbers(
          'estimate',
          'unit of the quantity',
          verdicts.map(({ estimate }) => valueOf(estimate)),
        ),
        numbers(
          'low',
          'unit of the quantity',
          verdicts.map(({ estimate }) => endOf(estimate, 0)),
        ),
        numbers(
          'high',
          'unit of the quantity',
          verdicts.map(({ estimate }) => endOf(estimate, 1)),
        ),
        numbers(
          'p_adjusted',
          '1',
          verdicts.map(({ adjustedPValue }) => adjustedPValue),
        ),
        texts(
          'registration',
          verdicts.map(({ registration }) => registration),
        ),
        texts(
          'reason',
          verdicts.map(({ reason }) => reason),
        ),
      ],
    }),
  };
}

function verdictText({
  prediction,
  contrast,
  label,
  unit,
  estimate,
  adjustedPValue,
  registration,
  reason,
}: ShownSweep['verdicts'][number]): string {
  const mark = registrationMarks[registration];
  const found =
    estimate.kind === 'absent'
      ? 'absent'
      : `${formatNumber(estimate.estimate, true)} ${intervalText(estimate, true)}${unit === '1' || unit === '' ? '' : ` ${unit}`}`;
  const p = adjustedPValue === null ? '' : `, p = ${formatPValue(adjustedPValue)}`;
  return (
    `${prediction.id}${mark === null ? '' : ` (${mark})`}: ${label}, ${contrast}, predicted ${prediction.predicted}: ${found}${p}. ` +
    `${reason} Because: ${prediction.because}`
  );
}

const valueOf = (estimate: ShownEstimate): number | null =>
  estimate.kind === 'value' ? estimate.estimate : null;

const endOf = (estimate: ShownEstimate, end: 0 | 1): number | null =>
  estimate.kind === 'value' ? (estimate.interval?.[end] ?? null) : null;

function drawArms({ arms, evidence }: ShownSweep, state: ViewState, box: Box, style: Style): Picture {
  const { outcomeLabel, mediatorLabel } = evidence;
  const shown = evidence.arms;
  const estimateColumns = (title: string, of: (row: number) => ShownEstimate) => [
    numberColumn(
      title,
      '1',
      (row) => valueOf(of(row)),
      (row) => {
        const estimate = of(row);
        return estimate.kind === 'absent'
          ? ''
          : `${formatNumber(estimate.estimate, true)} ${intervalText(estimate, true)}`;
      },
      36,
    ),
  ];
  const meanOf = (row: number, id: string): number | null => {
    const estimate = arms[row]!.quantities.find((own) => own.id === id)?.estimate;
    return estimate === undefined ? null : valueOf(estimate);
  };
  const list: List = {
    length: shown.length,
    id: () => null,
    columns: [
      textColumn('arm', (row) => shown[row]!.name, 40),
      ...estimateColumns(outcomeLabel, (row) => shown[row]!.outcome),
      ...(mediatorLabel === null ? [] : estimateColumns(mediatorLabel, (row) => shown[row]!.mediator)),
      integerColumn('seeds', (row) => {
        const { outcome } = shown[row]!;
        return outcome.kind === 'value' ? outcome.seeds : 0;
      }),
      numberColumn('updates', '1', (row) => meanOf(row, explanationQuantities.updates)),
      numberColumn('loss', 'nats', (row) => meanOf(row, explanationQuantities.loss)),
      numberColumn('distance', 'parameter', (row) => meanOf(row, explanationQuantities.distance)),
      numberColumn('kappa', 'rate', (row) => meanOf(row, explanationQuantities.kappa)),
    ],
  };
  return drawList({ list, state, box, style, empty: 'the sweep has no arms' });
}

function drawRuns({ evidence }: ShownSweep, state: ViewState, box: Box, style: Style): Picture {
  const { runs, outcomeLabel, mediatorLabel } = evidence;
  const list: List = {
    length: runs.length,
    id: () => null,
    columns: [
      textColumn('arm', (row) => runs[row]!.arm, 40),
      integerColumn('seed', (row) => runs[row]!.seed),
      numberColumn(outcomeLabel, '1', (row) => runs[row]!.outcome),
      ...(mediatorLabel === null ? [] : [numberColumn(mediatorLabel, '1', (row) => runs[row]!.mediator)]),
      numberColumn('kappa', 'rate', (row) => runs[row]!.kappa),
      numberColumn('updates', '1', (row) => runs[row]!.updates),
      numberColumn('loss', 'nats', (row) => runs[row]!.loss),
      numberColumn('distance', 'parameter', (row) => runs[row]!.distance),
    ],
  };
  return drawList({ list, state, box, style, empty: 'the sweep has no runs' });
}
