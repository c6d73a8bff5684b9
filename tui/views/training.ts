import type { Series } from '../../src/report/charts/index.js';
import type { SubsetPair } from '../../data/design.js';
import { designOf } from '../../data/internalization-design.js';
import { testSetKind } from '../../data/test-set-kinds.js';
import { formatNumber } from '../../src/report/text/numbers.js';
import { textTable } from '../../src/report/text/table.js';
import { tables } from '../../src/store/tables/registry.js';
import { readRunMetrics, type RunMetrics } from '../data/run-metrics.js';
import type { RunSource } from '../data/run-source.js';
import { armsOf, pathsOf, stageMarkers, versionsOf, type ShownArm } from '../view/arms.js';
import type { ViewContext, ViewSpec } from '../view/context.js';
import type { LineFigure } from '../view/figure.js';
import { figurePicture } from '../view/figure-panel.js';
import { parseFilter } from '../view/filter.js';
import { cut } from '../view/layout.js';
import { chosen, messagePanel, type ViewPanel, type ViewModel } from '../view/picture.js';
import { quantityLines } from '../view/quantities.js';
import { bandNote, seedBand, type RunCurve } from '../view/seed-band.js';
import type { ViewState } from '../view/state.js';
import { paint, type Style } from '../view/style.js';

/** Columns of `steps` that are drawn, with unit and whether their axis is logarithmic at first. */
const stepQuantities = [
  { column: 'loss', title: 'loss of the minibatch', unit: 'nats', log: true },
  { column: 'grad_norm', title: 'gradient norm before clipping', unit: 'nats/parameter', log: true },
  { column: 'update_norm', title: 'norm of the update', unit: 'parameter', log: true },
  { column: 'clip_factor', title: 'clip factor', unit: '1', log: false },
  { column: 'learning_rate', title: 'learning rate', unit: '1', log: false },
] as const;

type StepQuantity = (typeof stepQuantities)[number];

const metricUnits: Readonly<Record<string, string>> = { accuracy: 'accuracy', margin: 'nats', loss: 'nats' };

/** What of a run is drawn. */
interface RunCurves {
  readonly run: RunSource;
  readonly metrics: RunMetrics;
  step(column: StepQuantity['column']): RunCurve | null;
}

/** How training went. */
export const trainingView: ViewSpec = {
  id: 'training',
  short: 'train',
  question: 'Did the model learn, and which subsets does it answer?',
  load,
};

async function load(context: ViewContext): Promise<ViewModel> {
  const { shown, current } = context;
  if (current === null) return { panels: [messagePanel('curves', '', ['There is no run to look at.'])] };
  const arms = await armsOf(shown);
  const curves = new Map<RunSource, RunCurves>();
  for (const run of shown) curves.set(run, await readCurves(run));
  const of = (run: RunSource): RunCurves => curves.get(run)!;
  const several = shown.length > 1;
  return {
    panels: [
      curvesPanel(several ? 'mean over seeds' : 'curves', arms, of),
      ...(several ? [curvesPanel('each run', arms.flatMap(singles), of)] : []),
      gapsPanel(context, arms, of),
    ],
  };
}

const singles = ({ runs }: ShownArm): ShownArm[] => runs.map((run) => ({ name: run.name, runs: [run] }));

async function readCurves(run: RunSource): Promise<RunCurves> {
  const metrics = await readRunMetrics(run);
  const table = await run.tables.read(tables.steps, ['step', ...stepQuantities.map(({ column }) => column)]);
  return {
    run,
    metrics,
    step: (column) => {
      if (table === null) return null;
      const y = table.columns[column];
      return { x: table.columns.step, y: ArrayBuffer.isView(y) ? y : y.values };
    },
  };
}

function curvesPanel(title: string, arms: readonly ShownArm[], of: (run: RunSource) => RunCurves): ViewPanel {
  const first = arms[0]!.runs[0]!;
  const metrics = [...new Set(arms.flatMap(({ runs }) => runs.flatMap((run) => of(run).metrics.metrics)))];
  const perStep = stepQuantities.filter(({ column }) => hasValues(of(first).step(column)));
  const values = [
    ...perStep.map((own) => own.title),
    ...metrics.map((metric) => `${metric} of the test sets`),
  ];
  return {
    title,
    question: 'Did the model learn, and which subsets does it answer?',
    choices: { name: 'quantity', values, initial: Math.max(0, values.indexOf('accuracy of the test sets')) },
    drills: null,
    filters: kindFilters([
      ...new Set(arms.flatMap(({ runs }) => runs.flatMap((run) => of(run).metrics.sets))),
    ]),
    draw(state, box, style) {
      const place = chosen(this, state.panel, state);
      const step = perStep[place];
      const metric = step === undefined ? metrics[place - perStep.length] : undefined;
      const figure = makeFigure(values[place] ?? '', step, metric, state);
      const at = metric === undefined ? [] : readout(metric, state, box.width, style);
      return figurePicture(figure, at, state, box, style);
    },
  };

  function makeFigure(
    name: string,
    step: StepQuantity | undefined,
    metric: string | undefined,
    state: ViewState,
  ): LineFigure {
    const most = Math.max(...arms.map(({ runs }) => runs.length));
    const unit = step?.unit ?? metricUnits[metric ?? ''] ?? '1';
    // Of the accuracy the name is the unit.
    const label = unit === '1' || name.startsWith(unit) ? name : `${name}, ${unit}`;
    return {
      kind: 'line',
      title: name,
      note:
        metric !== undefined && most === 1
          ? 'bands: 1.96 standard errors over variables'
          : arms.length > 1 && most > 1
            ? `${bandNote(most)} of each config`
            : bandNote(most),
      series: step === undefined ? metricSeries(metric ?? '', state.filter) : stepSeries(step.column),
      xLabel: 'step',
      yLabel: label,
      logX: false,
      logY: state.log ?? step?.log ?? false,
      bands: [],
      markers: stageMarkers(first),
    };
  }

  function stepSeries(column: StepQuantity['column']): Series[] {
    return arms.map(({ name, runs }) =>
      seedBand(
        arms.length === 1 && runs.length === 1 ? column : name,
        runs.flatMap((run) => of(run).step(column) ?? []),
      ),
    );
  }

  function metricSeries(metric: string, filter: string): Series[] {
    const sets = setsOf(
      arms.flatMap(({ runs }) => runs.map((run) => of(run).metrics)),
      filter,
    );
    return arms.flatMap(({ name, runs }) =>
      sets.map((set) =>
        metricCurve(
          arms.length === 1 ? set : `${name} ${set}`,
          set,
          metric,
          runs.map((run) => of(run).metrics),
        ),
      ),
    );
  }

  /** Values at the cursor, or of the last evaluation, one line a test set, with interval and null. */
  function readout(metric: string, { cursor, filter }: ViewState, width: number, style: Style): string[] {
    const runs = arms[0]!.runs.map((run) => of(run).metrics);
    const steps = runs[0]!.steps;
    const step =
      cursor === null
        ? steps.at(-1)
        : steps.reduce((a, b) => (Math.abs(b - cursor) < Math.abs(a - cursor) ? b : a), steps[0] ?? 0);
    if (step === undefined) return [];
    const one = runs.length === 1;
    const { untrained } = designOf(arms[0]!.runs[0]!.info);
    const nullSet = untrained !== null && runs[0]!.sets.includes(untrained) ? untrained : null;
    const rows = setsOf(runs, filter).flatMap((set) => {
      const own = metricCurve('', set, metric, runs);
      const place = Array.prototype.indexOf.call(own.x, step);
      const value = own.y[place];
      if (typeof value !== 'number' || !Number.isFinite(value)) return [];
      const [low, high] = [own.low?.[place], own.high?.[place]];
      const hasInterval = typeof low === 'number' && typeof high === 'number' && Number.isFinite(low);
      const n = runs.reduce((sum, run) => sum + (run.at(set, metric, step)?.n ?? 0), 0);
      // Of questions who a variable is and of rows that are trained on, variables that were never seen are no null.
      const none = nullSet === null || testSetKind(set) !== null ? null : runs[0]!.get(nullSet, metric, step);
      return [
        [
          set,
          formatNumber(value),
          hasInterval ? `[${formatNumber(low)}, ${formatNumber(high)}]` : 'none',
          String(n),
          ...(none === null ? [] : [formatNumber(none)]),
        ],
      ];
    });
    const head = [
      `step ${step}`,
      metricUnits[metric] ?? metric,
      one ? '95 % over variables' : `95 % over ${runs.length} seeds`,
      'questions',
      ...(rows.some(({ length }) => length === 5) ? [`null: ${nullSet}`] : []),
    ];
    const table = textTable([head, ...rows], ['left', 'right', 'left', 'right', 'right']);
    return table.map((line, i) => paint(cut(line, width, style), i === 0 ? 'bold' : 'plain', style));
  }
}

/** The filter that every test set passes. */
const everySet = 'all';

/** A filter for each kind of test set that there is beside held-out questions, and one for all. */
function kindFilters(sets: readonly string[]): string[] {
  const kinds = new Set(sets.flatMap((set) => testSetKind(set) ?? []));
  return kinds.size === 0 ? [] : [...kinds, everySet];
}

/**
 * Test sets that are drawn: held-out questions, or, where a filter is given, those whose names hold all of its words, none of
 * those behind a `!`.
 */
function setsOf(runs: readonly RunMetrics[], filter: string): string[] {
  const all = [...new Set(runs.flatMap(({ sets }) => sets))];
  const conditions = parseFilter(filter);
  if (conditions.length === 0) return all.filter((set) => testSetKind(set) === null);
  return all.filter((set) =>
    conditions.every(
      (own) =>
        own.kind === 'text' &&
        (own.text === everySet || set.toLowerCase().includes(own.text) !== own.negated),
    ),
  );
}

/** A metric over training: over seeds with its t interval, of one run with 1.96 standard errors over variables. */
function metricCurve(name: string, set: string, metric: string, runs: readonly RunMetrics[]): Series {
  const curveOf = (own: RunMetrics) => {
    const steps = own.steps.filter((step) => own.at(set, metric, step) !== null);
    return { steps, values: steps.map((step) => own.at(set, metric, step)!) };
  };
  const [first] = runs;
  if (runs.length === 1 && first !== undefined) {
    const { steps, values } = curveOf(first);
    const hasErrors = values.some(({ standardError }) => standardError !== null);
    const end = (sign: 1 | -1) =>
      values.map(({ value, standardError }) =>
        standardError === null ? null : value + sign * 1.96 * standardError,
      );
    return {
      name,
      x: steps,
      y: values.map(({ value }) => value),
      ...(hasErrors ? { low: end(-1), high: end(1) } : {}),
    };
  }
  return seedBand(
    name,
    runs.map((own) => {
      const { steps, values } = curveOf(own);
      return { x: steps, y: values.map(({ value }) => value) };
    }),
  );
}

/** Weak and strong gap over training. */
function gapsPanel(
  context: ViewContext,
  arms: readonly ShownArm[],
  of: (run: RunSource) => RunCurves,
): ViewPanel {
  const metrics = ['accuracy', 'margin'];
  return {
    title: 'gaps',
    question: 'Are variables defined with the reliable tag answered better? Null: no gap, 0.',
    choices: { name: 'metric', values: metrics, initial: 0 },
    drills: null,
    draw(state, box, style) {
      const metric = metrics[chosen(this, state.panel, state)]!;
      const figure: LineFigure = {
        kind: 'line',
        title: `gap of the ${metric}`,
        note: bandNote(Math.max(...arms.map(({ runs }) => runs.length))),
        series: arms.flatMap(({ name, runs }) =>
          (['weak', 'strong'] as const).map((kind) =>
            seedBand(
              `${arms.length === 1 ? '' : `${name} `}${kind}: ${designOf(runs[0]!.info)[kind].join(' - ')}`,
              runs.map((run) => gapCurve(of(run).metrics, designOf(run.info)[kind], metric)),
            ),
          ),
        ),
        xLabel: 'step',
        yLabel: `gap, ${metricUnits[metric] ?? '1'}`,
        logX: false,
        logY: false,
        bands: [],
        markers: stageMarkers(arms[0]!.runs[0]!),
      };
      const wanted = context.want(`gaps ${pathsOf(context.arm)}`, versionsOf(context.arm), () =>
        context.numbers.section(context.arm, 'internalization'),
      );
      const table =
        wanted.kind === 'value' && wanted.value !== null
          ? [
              ...quantityLines(wanted.value, { width: box.width, style, seed: context.current?.seed }),
              paint(
                cut(
                  `weak: at the end of the stage with questions, strong: of training; from: ${wanted.value.source}`,
                  box.width,
                  style,
                ),
                'dim',
                style,
              ),
            ]
          : [wanted.kind === 'failed' ? wanted.reason : 'measuring ...'];
      return figurePicture(figure, table, state, box, style);
    },
  };
}

function gapCurve(metrics: RunMetrics, [reliable, unreliable]: SubsetPair, metric: string): RunCurve {
  const y = metrics.steps.map((step) => {
    const [a, b] = [metrics.get(reliable, metric, step), metrics.get(unreliable, metric, step)];
    return a === null || b === null ? null : a - b;
  });
  return { x: metrics.steps, y };
}

function hasValues(curve: RunCurve | null): boolean {
  if (curve === null) return false;
  for (let i = 0; i < curve.y.length; i++) if (Number.isFinite(curve.y[i])) return true;
  return false;
}
