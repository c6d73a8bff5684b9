import { totalTensor } from '../../src/store/tables/common.js';
import { tables } from '../../src/store/tables/registry.js';
import { formatNumber } from '../../src/report/text/numbers.js';
import { outliers, loggingCost, nonFinite, type StepColumns } from '../data/step-health.js';
import { sketchErrors, type SketchErrors } from '../data/sketch-errors.js';
import type { RunSource } from '../data/run-source.js';
import type { ViewContext, ViewSpec, Wanted } from '../view/context.js';
import { drawList } from '../view/draw-list.js';
import { integerColumn, numberColumn, textColumn, type List } from '../view/list.js';
import { messagePanel, wrapped, type ViewPanel, type ViewModel } from '../view/picture.js';
import { paint } from '../view/style.js';
import { stateText } from './config.js';
import { cutLines } from '../view/layout.js';

/** Can the numbers of a run be trusted? */
export const healthView: ViewSpec = {
  id: 'health',
  short: 'health',
  question: 'Can the numbers of the run be trusted?',
  load,
};

/** A check of a run. */
interface Check {
  readonly verdict: 'ok' | 'look' | 'bad' | '-';
  readonly name: string;
  readonly value: string;
  readonly expected: string;
}

async function load(context: ViewContext): Promise<ViewModel> {
  const { current } = context;
  if (current === null) return { panels: [messagePanel('checks', '', ['There is no run to look at.'])] };
  const table = await current.tables.read(tables.steps, [
    'step',
    'stage',
    'loss',
    'grad_norm',
    'step_ms',
    'log_ms',
  ]);
  const steps: StepColumns | null =
    table === null
      ? null
      : {
          step: table.columns.step,
          stage: table.columns.stage.indices,
          loss: table.columns.loss,
          gradNorm: table.columns.grad_norm,
          stepMs: table.columns.step_ms,
          logMs: table.columns.log_ms,
        };
  const states = await current.tables.states();
  const events = await readEvents(current);
  return {
    panels: [checksPanel(context, current, steps, states, events), outliersPanel(steps), eventsPanel(events)],
  };
}

interface Event {
  readonly step: number;
  readonly time: number;
  readonly kind: string;
  readonly message: string;
}

async function readEvents(run: RunSource): Promise<Event[]> {
  const table = await run.tables.read(tables.events, ['step', 'time', 'kind', 'message']);
  if (table === null) return [];
  const { step, time, kind, message } = table.columns;
  return Array.from(step, (own, row) => ({
    step: own,
    time: time[row]!,
    kind: kind.text(row),
    message: message[row]!,
  }));
}

function checksPanel(
  context: ViewContext,
  run: RunSource,
  steps: StepColumns | null,
  states: Awaited<ReturnType<RunSource['tables']['states']>>,
  events: readonly Event[],
): ViewPanel {
  return {
    title: 'checks',
    question: 'Can the numbers of this run be trusted?',
    choices: null,
    drills: null,
    draw(state, box, style) {
      const sketch = context.want(`sketch ${run.entry.path}`, String(run.tables.version), () =>
        sketchErrors(run),
      );
      const checks = [
        ...stepChecks(steps),
        sketchCheck(sketch),
        ...tableChecks(states),
        ...eventChecks(events),
      ];
      const list: List = {
        length: checks.length,
        id: () => null,
        columns: [
          textColumn('verdict', (row) => checks[row]!.verdict, 7),
          textColumn('check', (row) => checks[row]!.name, 34),
          textColumn('found', (row) => checks[row]!.value, 70),
          textColumn('expected', (row) => checks[row]!.expected, 60),
        ],
      };
      // The list is narrow: what was found is written out for the selected check.
      const listBox = { width: box.width, height: Math.min(checks.length + 1, box.height - 4) };
      const picture = drawList({ list, state, box: listBox, style });
      const own = checks[picture.list?.row ?? 0];
      const detail =
        own === undefined || state.filter !== '' || state.sort !== null
          ? []
          : [
              '',
              ...wrapped(`${own.name}: ${own.value}`, box.width).map((line) => paint(line, 'bold', style)),
              ...(own.expected === '' ? [] : wrapped(`expected: ${own.expected}`, box.width)),
            ];
      return { ...picture, lines: cutLines([...picture.lines, ...detail], box.height, style) };
    },
  };
}

function stepChecks(steps: StepColumns | null): Check[] {
  if (steps === null)
    return [{ verdict: 'bad', name: 'table steps', value: 'missing', expected: 'always logged' }];
  const missing = nonFinite(steps);
  const { factor, places, medians } = outliers(steps);
  const cost = loggingCost(steps);
  return [
    {
      verdict: missing === 0 ? 'ok' : 'bad',
      name: 'losses and norms that are no number',
      value: `${missing} of ${steps.step.length} steps`,
      expected: '0',
    },
    {
      verdict: places.length === 0 ? 'ok' : 'look',
      name: `gradient norm > ${factor} x its stage's`,
      value:
        medians.size === 0
          ? 'no steps'
          : `${places.length} of ${steps.step.length} steps; median ${[...medians.values()].map((own) => formatNumber(own)).join(', ')} nats/parameter`,
      expected: '0; the median of each stage (null: a heavy tail has a few)',
    },
    cost === null
      ? { verdict: '-', name: 'cost of logging', value: 'not measured', expected: '' }
      : {
          verdict: cost.ratio <= 1.1 ? 'ok' : 'look',
          name: 'time with log, Gram aside / without',
          value: `${cost.ratio.toFixed(3)} (median step ${formatNumber(cost.stepMs)} ms, log ${formatNumber(cost.meanLogMs)} ms per step on average)`,
          expected: 'at most 1.10',
        },
  ];
}

function sketchCheck(sketch: Wanted<SketchErrors | null>): Check {
  const name = 'sketches against exact products';
  if (sketch.kind === 'pending') return { verdict: '-', name, value: 'reading ...', expected: '' };
  if (sketch.kind === 'failed') return { verdict: 'bad', name, value: sketch.reason, expected: '' };
  if (sketch.value === null) return { verdict: '-', name, value: 'no sketches in the log', expected: '' };
  const { standardised, pairs, size } = sketch.value;
  return {
    // Standardised errors have a mean square of at most 1.
    verdict: standardised <= 1.2 ? 'ok' : 'look',
    name,
    value: `RMS error ${formatNumber(standardised)} of its bound, ${pairs} pairs of groups, sketch size ${size}`,
    expected: 'at most 1: sqrt((|a|^2 |b|^2 + (a.b)^2) / size)',
  };
}

function tableChecks(states: Awaited<ReturnType<RunSource['tables']['states']>>): Check[] {
  return states
    .filter(({ problem, truncated }) => problem !== null || truncated !== null)
    .map((own) => ({
      verdict: own.problem === null ? 'look' : 'bad',
      name: `table ${own.name}`,
      value: stateText(own),
      expected: 'whole',
    }));
}

function eventChecks(events: readonly Event[]): Check[] {
  const count = (kind: string): number => events.filter((own) => own.kind === kind).length;
  return (
    [
      ['nan', 'bad'],
      ['warning', 'look'],
      ['interrupt', 'look'],
      ['resume', 'look'],
    ] as const
  ).map(([kind, verdict]) => ({
    verdict: count(kind) === 0 ? 'ok' : verdict,
    name: `events: ${kind}`,
    value: String(count(kind)),
    expected: '0',
  }));
}

function outliersPanel(steps: StepColumns | null): ViewPanel {
  const found = steps === null ? null : outliers(steps);
  const place = (row: number): number => found!.places[row]!;
  const list: List = {
    length: found?.places.length ?? 0,
    id: () => null,
    columns: [
      integerColumn('step', (row) => steps!.step[place(row)]!),
      numberColumn('|g|', 'nats/parameter', (row) => steps!.gradNorm[place(row)]!),
      numberColumn(
        'times the median',
        '1',
        (row) => steps!.gradNorm[place(row)]! / found!.medians.get(steps!.stage[place(row)]!)!,
        undefined,
        16,
      ),
      numberColumn('loss', 'nats', (row) => steps!.loss[place(row)]!),
    ],
  };
  return {
    title: 'outliers',
    question: `Which minibatches have a gradient norm above ${found?.factor ?? 10} times the median of its stage, ${totalTensor} tensors?`,
    choices: null,
    drills: null,
    draw: (state, box, style) =>
      drawList({
        list,
        state,
        box,
        style,
        empty: 'no outlier: no gradient norm is above 10 times the median of its stage',
      }),
  };
}

function eventsPanel(events: readonly Event[]): ViewPanel {
  const own = (row: number): Event => events[row]!;
  const list: List = {
    length: events.length,
    id: () => null,
    columns: [
      integerColumn('step', (row) => own(row).step),
      textColumn('time', (row) => new Date(own(row).time).toISOString(), 24),
      textColumn('kind', (row) => own(row).kind, 10),
      textColumn('message', (row) => own(row).message, 300),
    ],
  };
  return {
    title: 'events',
    question: 'What happened to the run?',
    choices: null,
    drills: null,
    draw: (state, box, style) => drawList({ list, state, box, style, empty: 'no event was logged' }),
  };
}
