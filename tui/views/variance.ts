import type { ColumnSet } from '../../src/store/column-views.js';
import { meanOverSeeds } from '../../src/analysis/inference/seeds/mean.js';
import { batchMoments, finitePopulation } from '../../src/analysis/measures/batch-moments.js';
import { smithRegulariser } from '../../src/analysis/measures/smith-regulariser.js';
import { endOfQuestions, questionStage } from '../../src/analysis/run-data.js';
import { formatNumber } from '../../src/report/text/numbers.js';
import { textTable } from '../../src/report/text/table.js';
import {
  penaltyColumns,
  penaltyPoints,
  penaltySteps,
  type PenaltyPoints,
} from '../../src/analysis/penalty-points.js';
import type { RunSource } from '../data/run-source.js';
import { pathsOf, stageMarkers, versionsOf } from '../view/arms.js';
import type { ViewContext, ViewSpec } from '../view/context.js';
import type { LineFigure, ScatterFigure } from '../view/figure.js';
import { figurePicture } from '../view/figure-panel.js';
import { chosen, messagePanel, wrapped, type Panel, type ViewModel } from '../view/picture.js';
import { intervalText, quantityLines } from '../view/quantities.js';
import { seedBand, type RunCurve } from '../view/seed-band.js';
import { paint } from '../view/style.js';
import { progressText } from './alignment.js';
import { landscapePanel } from './landscape-panel.js';

/** How large is the noise of the gradients, and does its penalty follow the law? */
export const varianceView: ViewSpec = { id: 'variance', short: 'noise', load };

async function load(context: ViewContext): Promise<ViewModel> {
  const { current, shown } = context;
  if (current === null) return { panels: [messagePanel('penalty', '', ['There is no run to look at.'])] };
  const tables: ColumnSet[] = [];
  for (const run of shown) {
    const columns = await run.tables.columns('penalty', penaltyColumns);
    if (columns !== null) tables.push(columns);
  }
  const steps = tables[0] === undefined ? [] : penaltySteps(tables[0]);
  const panel =
    steps.length === 0
      ? messagePanel('penalty', '', [
          `No table penalty: real minibatches of all sizes are measured at checkpoints by npx gradscope probe ${current.entry.path}`,
        ])
      : penaltyPanel(context, current, steps, (step) =>
          tables.flatMap((columns) => penaltyPoints(columns, step) ?? []),
        );
  return { panels: [panel, noisePanel(context, current), await landscapePanel(context, current)] };
}

function penaltyPanel(
  context: ViewContext,
  run: RunSource,
  steps: readonly number[],
  pointsAt: (step: number) => PenaltyPoints[],
): Panel {
  return {
    title: 'penalty',
    question:
      'Do norms of real minibatches follow |G|^2 + (N-B)/(N-1) Gamma/B? Null: the law; nothing is fitted.',
    choices: {
      name: 'checkpoint',
      values: steps.map((step) => `step ${step}`),
      initial: Math.max(0, steps.indexOf(endOfQuestions(run.info))),
    },
    drills: null,
    draw(state, box, style) {
      const points = pointsAt(steps[chosen(this, state.panel, state)] ?? 0);
      const [first] = points;
      if (first === undefined)
        return messagePanel('', '', ['no minibatches at this checkpoint']).draw(state, box, style);
      const log = state.log ?? true;
      const mean = (of: (own: PenaltyPoints) => number | undefined): number => {
        const values = points.map((own) => of(own)).filter((value) => value !== undefined);
        return values.reduce((sum, value) => sum + value, 0) / values.length;
      };
      const sizes = first.shuffle.map(({ batchSize }) => batchSize);
      const of = (size: number) => (own: PenaltyPoints) =>
        own.shuffle.find(({ batchSize }) => batchSize === size);
      const population = first.examples;
      const [gamma, full] = [mean((own) => own.gamma), mean((own) => own.fullNorm2)];
      const figure: ScatterFigure = {
        kind: 'scatter',
        title: 'squared norm of minibatch gradients by batch size',
        // The last one shows where points share a cell: the one that the law is about.
        series: [
          ...(first.withReplacement.length > 0
            ? [
                {
                  name: 'measured, with replacement',
                  x: first.withReplacement.map(({ batchSize }) => batchSize),
                  y: first.withReplacement.map(({ batchSize }) =>
                    mean((own) => own.withReplacement.find((one) => one.batchSize === batchSize)?.measured),
                  ),
                },
              ]
            : []),
          {
            name: 'measured, without replacement',
            x: sizes,
            y: sizes.map((size) => mean((own) => of(size)(own)?.measured)),
          },
        ],
        curves: [
          {
            name: 'the law, predicted',
            y: (size) =>
              size < 1 || size > population
                ? NaN
                : full + ((population - size) / Math.max(1, population - 1)) * (gamma / size),
          },
        ],
        identity: false,
        xLabel: 'batch size',
        yLabel: 'mean |g_B|^2, nats^2/parameter^2',
        logX: log,
        logY: log,
      };
      const rows = sizes.map((size) => {
        const measured = meanOverSeeds(points.flatMap((own) => of(size)(own)?.measured ?? []));
        const law = mean((own) => of(size)(own)?.law);
        const ratio = meanOverSeeds(
          points.flatMap((own) => {
            const point = of(size)(own);
            return point === undefined ? [] : [point.measured / point.law - 1];
          }),
        );
        return [
          size === population ? `${size} (all)` : String(size),
          measured.kind === 'value' ? formatNumber(measured.estimate) : 'absent',
          formatNumber(law),
          ratio.kind === 'value'
            ? `${ratio.estimate >= 0 ? '+' : ''}${(100 * ratio.estimate).toFixed(1)} %`
            : '',
          ratio.kind === 'value' && ratio.interval !== null
            ? `[${ratio.interval.map((end) => `${end >= 0 ? '+' : ''}${(100 * end).toFixed(1)}`).join(', ')}] %`
            : intervalText({ ...ratio }, true),
        ];
      });
      const { learningRate, batchSize, optimizer } = questionStage(run.info);
      const caveat = optimizer === 'sgd' ? '' : ` (a theorem about plain SGD; this run uses ${optimizer})`;
      const penalty = smithRegulariser({ gamma, meanNorm2: full }, { learningRate, batchSize, population });
      const table = [
        ...textTable(
          [['batch size', 'measured', 'law (null)', 'measured/law - 1', '95 % interval'], ...rows],
          ['right', 'right', 'right', 'right', 'left'],
        ).map((line, i) => paint(line.slice(0, box.width), i === 0 ? 'bold' : 'plain', style)),
        ...wrapped(
          `Gamma ${formatNumber(gamma)}, |G|^2 ${formatNumber(full)} nats^2/parameter^2, noise scale Gamma/|G|^2 ${formatNumber(gamma / full)} examples; N ${population}; ${points.length} ${points.length === 1 ? 'run' : 'runs'}`,
          box.width,
        ),
        ...wrapped(
          `penalty epsilon/4 |g_B|^2 at batch size ${batchSize}, epsilon ${learningRate}: variance part ${formatNumber(penalty.variance)}, norm part ${formatNumber(penalty.norm)} nats${caveat}`,
          box.width,
        ),
      ];
      return figurePicture(figure, table, state, box, style);
    },
  };
}

/** Points of a curve over training. */
const windows = 60;

function noisePanel(context: ViewContext, run: RunSource): Panel {
  const { shown, arm, numbers } = context;
  return {
    title: 'noise in training',
    question:
      'How large are Gamma and |G|^2 in the minibatches that training saw, and what is their penalty?',
    choices: null,
    drills: null,
    draw(state, box, style) {
      const wanted = context.want(`noise ${pathsOf(shown)}`, versionsOf(shown), () => noiseCurves(shown));
      if (wanted.kind === 'pending')
        return messagePanel('', '', [progressText(shown)]).draw(state, box, style);
      if (wanted.kind === 'failed') return messagePanel('', '', [wanted.reason]).draw(state, box, style);
      const figure: LineFigure = {
        kind: 'line',
        title: 'gradient noise over training',
        series: [seedBand('Gamma', wanted.value.gamma), seedBand('|G|^2, unbiased', wanted.value.full)],
        xLabel: 'step',
        yLabel: 'nats^2/parameter^2',
        logX: false,
        logY: state.log ?? true,
        bands: [],
        markers: stageMarkers(run),
      };
      const section = context.want(`noise numbers ${pathsOf(arm)}`, versionsOf(arm), () =>
        numbers.section(arm, 'gradient-noise'),
      );
      const table =
        section.kind === 'value' && section.value !== null
          ? [
              ...quantityLines(section.value, { width: box.width, style, seed: run.seed }),
              paint(
                `last fifth of the stage with questions; from: ${section.value.source}`.slice(0, box.width),
                'dim',
                style,
              ),
            ]
          : [
              section.kind === 'pending'
                ? progressText(arm)
                : section.kind === 'failed'
                  ? section.reason
                  : 'no example norms in the log',
            ];
      return figurePicture(figure, table, state, box, style);
    },
  };
}

/** Windows of Gamma and |G|^2 of each run, from the minibatches of its stage with questions. */
async function noiseCurves(runs: readonly RunSource[]): Promise<{ gamma: RunCurve[]; full: RunCurve[] }> {
  const [gamma, full]: [RunCurve[], RunCurve[]] = [[], []];
  for (const run of runs) {
    const gradients = await run.groupGradients();
    if (gradients === null) continue;
    const { examples: population } = questionStage(run.info);
    const last = Math.max(1, endOfQuestions(run.info));
    const width = Math.max(1, Math.ceil(last / windows));
    const sums = Array.from({ length: Math.ceil(last / width) }, () => ({ gamma: 0, full: 0, count: 0 }));
    const [norm2, example, count] = [
      gradients.norm2('minibatch'),
      gradients.exampleNorm2('minibatch'),
      gradients.count('minibatch'),
    ];
    gradients.steps.forEach((step, i) => {
      if (step > last) return;
      const own = batchMoments({ size: count[i]!, norm2: norm2[i]!, exampleNorm2: example[i]! });
      if (typeof own === 'string') return;
      const moments = finitePopulation(own, population);
      const window = sums[Math.floor((step - 1) / width)]!;
      window.gamma += moments.gamma;
      window.full += moments.meanNorm2;
      window.count++;
    });
    // Example norms are logged on a schedule: a window without any is no gap.
    const points = sums
      .map((own, i) => ({ ...own, x: Math.min(last, (i + 1) * width) }))
      .filter((own) => own.count > 0);
    const x = points.map((own) => own.x);
    gamma.push({ x, y: points.map((own) => own.gamma / own.count) });
    full.push({ x, y: points.map((own) => own.full / own.count) });
  }
  return { gamma, full };
}
