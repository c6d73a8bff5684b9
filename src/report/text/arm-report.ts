import type { AlignmentCurve } from '../../analysis/studies/minibatch/curves.js';
import type { ArmAnalysis } from '../../analysis/analyse-arm.js';
import type { CheckResult } from '../../analysis/checks.js';
import type { Claim } from '../../analysis/claims.js';
import { looksText, type Look } from '../../analysis/looks.js';
import type { Estimate } from '../../analysis/inference/estimate.js';
import type { PenaltyPoint } from '../../analysis/studies/penalty/curve.js';
import { lineChart, renderAnsi, renderPlain, scatterChart, tooNarrow, type Chart } from '../charts/index.js';
import { formatInterval, formatNumber, formatSeeds } from './numbers.js';
import { sectionReport } from './section-report.js';
import { summaryReport } from './summary-report.js';
import { textTable, wrap } from './table.js';

/** What the terminal takes. */
export interface ReportStyle {
  /** Columns. */
  readonly width: number;
  readonly colour: boolean;
}

const chartHeight = 12;

const columnsText =
  'mean over seeds; p: t test over seeds against the null; flips: exact sign-flip test over seeds, up to 14 of them; ' +
  'Holm: p adjusted for the other rows of the section.';

/** The analysis of an arm as lines of text: a summary, claims, checks and notes, then tables of estimates beside their nulls, and charts. */
export function armReport(analysis: ArmAnalysis, style: ReportStyle): string[] {
  const { experiment, name, seeds, sections, claims, claimRule, checks, looks, notes } = analysis;
  return [
    `${experiment} ${name}: ${seeds.length} ${seeds.length === 1 ? 'seed' : 'seeds'} (${formatSeeds(seeds)})`,
    '',
    ...summaryReport(analysis, style.width),
    '',
    ...wrap(`Claims (${claims.length}; ${looksText(looks)})`, style.width, '  '),
    ...claims.flatMap((claim) => claimLines(claim, looks, style.width)),
    ...wrap(`Rule: ${claimRule}.`, style.width - 2, '  ').map((line) => `  ${line}`),
    '',
    ...(checks.length === 0
      ? []
      : [
          ...wrap('Checks: identities that do not depend on what the models learned', style.width, '  '),
          ...checks.flatMap((check) => checkLines(check, style.width)),
          '',
        ]),
    ...notes.flatMap((note) => wrap(`Note: ${note}`, style.width, '  ')),
    ...(notes.length === 0 ? [] : ['']),
    ...wrap(`Columns of the tables: ${columnsText}`, style.width, '  '),
    '',
    ...sections.flatMap((section) => [
      ...sectionReport(section, style.width),
      ...(section.id === 'minibatchCosine'
        ? cosineChart(analysis.alignmentCurves, analysis.stageStarts, style)
        : []),
      ...(section.id === 'penaltyLaw' ? penaltyReport(analysis.penaltyCurve, style) : []),
    ]),
  ];
}

function claimLines(
  { id, claim, predicted, judgement, seedsForPower, controls }: Claim,
  looks: readonly Look[],
  width: number,
): string[] {
  const power =
    judgement.verdict === 'undecided' || predicted === 'none' || seedsForPower === null
      ? ''
      : ` Power: ${seedsForPower} seeds find an effect of this size in 80 % of cases.`;
  const against = controls.map(({ label, difference }) =>
    difference.kind === 'absent'
      ? ` Against ${label}: ${difference.reason}.`
      : ` Against ${label}: ${formatNumber(difference.estimate, true)} ${formatInterval(difference, true)}.`,
  );
  const verdicts = looks.map((look) => look.verdicts[id] ?? 'not judged');
  const changed = new Set(verdicts).size > 1 ? ` Verdicts so far: ${verdicts.join(', ')}.` : '';
  return [
    ...hanging(
      judgement.verdict,
      `${claim}. ${judgement.reason}${power}${against.join('')}${changed}`,
      width,
    ),
  ];
}

function checkLines({ check, passed, reason }: CheckResult, width: number): string[] {
  return hanging(passed ? 'pass' : 'fail', `${check}. ${reason}`, width);
}

function hanging(head: string, text: string, width: number): string[] {
  return wrap(`${head.padEnd(12)}  ${text}`, width - 2, ' '.repeat(14)).map((line) => `  ${line}`);
}

/** Means over seeds of the curves, as braille lines. */
function cosineChart(
  curves: readonly AlignmentCurve[],
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
function meanAt(values: AlignmentCurve['values'], point: number): number | null {
  const present = values.flatMap((own) => {
    const value = own[point];
    return value === null || value === undefined ? [] : [value];
  });
  return present.length === 0 ? null : present.reduce((sum, value) => sum + value, 0) / present.length;
}
