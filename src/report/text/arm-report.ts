import type { Curve } from '../../analysis/alignment-curves.js';
import type { ArmAnalysis } from '../../analysis/analyse-arm.js';
import type { Claim } from '../../analysis/claims.js';
import type { Estimate } from '../../analysis/inference/estimate.js';
import type { PenaltyPoint } from '../../analysis/penalty-curve.js';
import { lineChart, renderAnsi, renderPlain, scatterChart, tooNarrow, type Chart } from '../charts/index.js';
import { formatInterval, formatNumber, formatSeeds } from './numbers.js';
import { sectionReport } from './section-report.js';
import { textTable, wrap } from './table.js';

/** What the terminal takes. */
export interface ReportStyle {
  /** Columns. */
  readonly width: number;
  readonly colour: boolean;
}

const chartHeight = 12;

/** The analysis of an arm as lines of text: tables of estimates beside their nulls, charts, claims and notes. */
export function armReport(analysis: ArmAnalysis, style: ReportStyle): string[] {
  const { experiment, name, seeds, sections, claims, notes } = analysis;
  return [
    `${experiment} ${name}: ${seeds.length} ${seeds.length === 1 ? 'seed' : 'seeds'} (${formatSeeds(seeds)})`,
    '',
    ...sections.flatMap((section) => [
      ...sectionReport(section, style.width),
      ...(section.name === 'minibatch-cosine'
        ? cosineChart(analysis.alignmentCurves, analysis.stageStarts, style)
        : []),
      ...(section.name === 'penalty-law' ? penaltyReport(analysis.penaltyCurve, style) : []),
    ]),
    'Claims',
    ...claims.flatMap((claim) => claimLines(claim, style.width)),
    '',
    ...notes.flatMap((note) => wrap(`Note: ${note}`, style.width, '  ')),
  ];
}

function claimLines({ claim, predicted, judgement, seedsForPower }: Claim, width: number): string[] {
  const power =
    judgement.verdict === 'undecided' || predicted === 'none' || seedsForPower === null
      ? ''
      : ` Power: ${seedsForPower} seeds find an effect of this size in 80 % of cases.`;
  const text = `${judgement.verdict.padEnd(12)}  ${claim}. ${judgement.reason}${power}`;
  return wrap(text, width - 2, ' '.repeat(14)).map((line) => `  ${line}`);
}

/** Means over seeds of the curves, as braille lines. */
function cosineChart(
  curves: readonly Curve[],
  stageStarts: ArmAnalysis['stageStarts'],
  style: ReportStyle,
): string[] {
  if (curves.length === 0) return [];
  const draw = (): Chart =>
    lineChart({
      series: curves.map(({ name, steps, values }) => ({
        name,
        x: steps,
        y: steps.map((_, i) => meanAt(values, i)),
      })),
      width: Math.min(style.width, 100),
      height: chartHeight,
      xLabel: 'step',
      yLabel: 'cosine',
      markers: stageStarts.map(({ step, name }) => ({ x: step, label: name })),
    });
  return ['The same over training, mean over seeds', ...drawn(draw, style), ''];
}

/** The penalty against batch size: measured points with intervals, the law, and its two terms apart. */
function penaltyReport(points: readonly PenaltyPoint[], style: ReportStyle): string[] {
  if (points.length === 0) return [];
  const valueOf = (estimate: Estimate): number | null =>
    estimate.kind === 'value' ? estimate.estimate : null;
  const x = points.map(({ batchSize }) => batchSize);
  const draw = (): Chart =>
    scatterChart({
      series: [
        { name: 'law', x, y: points.map(({ law }) => valueOf(law)) },
        { name: 'measured', x, y: points.map(({ measured }) => valueOf(measured)) },
      ],
      width: Math.min(style.width, 100),
      height: chartHeight,
      xLabel: 'batch size',
      yLabel: 'squared norm',
      logX: true,
      logY: true,
    });
  const rows = points.map(({ batchSize, measured, law, normPart, variancePart }) => [
    String(batchSize),
    measured.kind === 'value' ? formatNumber(measured.estimate) : 'absent',
    formatInterval(measured),
    law.kind === 'value' ? formatNumber(law.estimate) : 'absent',
    normPart === null ? '' : formatNumber(normPart),
    variancePart === null ? '' : formatNumber(variancePart),
  ]);
  const table = textTable(
    [['batch size', 'measured', '95 % interval', 'law', 'epsilon/4 |G|^2', 'kappa Gamma'], ...rows],
    ['right', 'right', 'left', 'right', 'right', 'right'],
  );
  return [
    'The penalty against batch size: squared norm of minibatch gradients, and the two terms of the penalty, nats',
    ...table.map((line) => `  ${line}`),
    ...drawn(draw, style),
    '',
  ];
}

function drawn(draw: () => Chart, { colour, width }: ReportStyle): string[] {
  const narrow = tooNarrow(width);
  if (narrow !== null) return [narrow];
  const chart = draw();
  return colour ? renderAnsi(chart) : renderPlain(chart);
}

/** Mean over the seeds that have the point. */
function meanAt(values: Curve['values'], point: number): number | null {
  const present = values.flatMap((own) => {
    const value = own[point];
    return value === null || value === undefined ? [] : [value];
  });
  return present.length === 0 ? null : present.reduce((sum, value) => sum + value, 0) / present.length;
}
