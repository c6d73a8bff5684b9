import { programCommand } from '../../data/shell-word.js';
import { tables } from '../../src/store/tables/registry.js';
import { meanOverSeeds } from '../../src/analysis/inference/seeds/mean.js';
import { minibatchVarianceFactor, whyNoSample } from '../../data/samplers.js';
import { endOfQuestions, questionStage } from '../../data/stage-roles.js';
import { stageSampling } from '../../src/analysis/stage-sampling.js';
import { formatNumber } from '../../src/report/text/numbers.js';
import { textTable } from '../../src/report/text/table.js';
import {
  penaltyColumns,
  penaltyPoints,
  pointsBySampler,
  penaltySteps,
  type PenaltyPoints,
  type PenaltyTable,
} from '../../src/analysis/studies/penalty/points.js';
import type { RunSource } from '../data/run-source.js';
import type { ViewContext } from '../view/context.js';
import type { ScatterFigure } from '../view/figure.js';
import { figurePicture } from '../view/figure-panel.js';
import { cut } from '../view/layout.js';
import { chosen, messagePanel, wrapped, type ViewPanel } from '../view/picture.js';
import { intervalText } from '../view/quantities.js';
import { paint } from '../view/style.js';

/** Norms of real minibatches of all sizes against their law. */
export async function penaltyPanel(context: ViewContext, current: RunSource): Promise<ViewPanel> {
  const found: PenaltyTable<(typeof penaltyColumns)[number]>[] = [];
  for (const run of context.shown) {
    const table = await run.tables.read(tables.penalty, penaltyColumns);
    if (table !== null) found.push(table);
  }
  const steps = found[0] === undefined ? [] : penaltySteps(found[0]);
  return steps.length === 0
    ? messagePanel('penalty', '', [
        `No table penalty: real minibatches of all sizes are measured at checkpoints by ${programCommand('probe', current.entry.path)}`,
      ])
    : panelOf(current, steps, (step) => found.flatMap((table) => penaltyPoints(table, step) ?? []));
}

function panelOf(
  run: RunSource,
  steps: readonly number[],
  pointsAt: (step: number) => PenaltyPoints[],
): ViewPanel {
  return {
    title: 'penalty',
    question:
      'Do norms of real minibatches follow |G|^2 + (N-B)/(N-1) Gamma/B (drawn independently: |G|^2 + Gamma/B)? Null: ' +
      'the law; nothing is fitted.',
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
      const sampling = stageSampling(questionStage(run.info));
      const why = whyNoSample(sampling);
      if (why !== null) return messagePanel('', '', [why]).draw(state, box, style);
      const log = state.log ?? true;
      const mean = (of: (own: PenaltyPoints) => number | undefined): number => {
        const values = points.map((own) => of(own)).filter((value) => value !== undefined);
        return values.reduce((sum, value) => sum + value, 0) / values.length;
      };
      const isPartition = sampling.draws === 'partition';
      const { own: drawn, other } = pointsBySampler(first, sampling);
      const sizes = drawn.map(({ batchSize }) => batchSize);
      const of = (size: number) => (points: PenaltyPoints) =>
        pointsBySampler(points, sampling).own.find(({ batchSize }) => batchSize === size);
      const population = first.examples;
      const [gamma, full] = [mean((own) => own.gamma), mean((own) => own.fullNorm2)];
      const figure: ScatterFigure = {
        kind: 'scatter',
        title: 'squared norm of minibatch gradients by batch size',
        note: `points: mean over ${points.length} ${points.length === 1 ? 'seed' : 'seeds'}`,
        // The last one shows where points share a cell: the one that the law is about.
        series: [
          ...(other.length > 0
            ? [
                {
                  name: isPartition ? 'measured, with replacement' : 'measured, without replacement',
                  x: other.map(({ batchSize }) => batchSize),
                  y: other.map(({ batchSize }) =>
                    mean(
                      (points) =>
                        pointsBySampler(points, sampling).other.find((one) => one.batchSize === batchSize)
                          ?.measured,
                    ),
                  ),
                },
              ]
            : []),
          {
            name: isPartition ? 'measured, without replacement' : 'measured, drawn independently',
            x: sizes,
            y: sizes.map((size) => mean((points) => of(size)(points)?.measured)),
          },
        ],
        curves: [
          {
            name: 'the law, predicted',
            y: (size) =>
              size < 1 || size > population
                ? NaN
                : full + gamma * minibatchVarianceFactor({ ...sampling, population, batchSize: size }),
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
      const table = [
        ...textTable(
          [['batch size', 'measured', 'law (null)', 'measured/law - 1', '95 % interval'], ...rows],
          ['right', 'right', 'right', 'right', 'left'],
        ).map((line, i) => paint(cut(line, box.width, style), i === 0 ? 'bold' : 'plain', style)),
        ...wrapped(
          `Gamma ${formatNumber(gamma)}, |G|^2 ${formatNumber(full)} nats^2/parameter^2, noise scale Gamma/|G|^2 ${formatNumber(gamma / full)} examples; N ${population}; ${points.length} ${points.length === 1 ? 'run' : 'runs'}`,
          box.width,
        ),
      ];
      return figurePicture(figure, table, state, box, style);
    },
  };
}
