import type { Curve } from '../../analysis/alignment-curves.js';
import type { ArmAnalysis } from '../../analysis/analyse-arm.js';
import { pValueAgainstNull, type Quantity } from '../../analysis/quantity.js';
import { lineChart, renderAnsi, renderPlain } from '../charts/index.js';
import { formatInterval, formatNumber, formatPValue, formatSeeds } from './numbers.js';
import { textTable, wrap } from './table.js';

/** What the terminal takes. */
export interface ReportStyle {
  /** Columns. */
  readonly width: number;
  readonly colour: boolean;
}

const chartHeight = 12;

/** The analysis of an arm as lines of text: tables of estimates beside their nulls, and the alignment over training. */
export function armReport(analysis: ArmAnalysis, style: ReportStyle): string[] {
  const { experiment, name, seeds, sections, claims, notes } = analysis;
  return [
    `${experiment} ${name}: ${seeds.length} ${seeds.length === 1 ? 'seed' : 'seeds'} (${formatSeeds(seeds)})`,
    '',
    ...sections.flatMap(({ name: own, title, quantities }) => [
      ...section(title, quantities, style),
      ...(own === 'minibatch-cosine'
        ? chartLines(analysis.alignmentCurves, analysis.stageStarts, style)
        : []),
    ]),
    'Claims',
    ...claims.flatMap(({ claim, judgement }) =>
      wrap(
        `${judgement.verdict.padEnd(12)}  ${claim}. ${judgement.reason}`,
        style.width - 2,
        ' '.repeat(14),
      ).map((line) => `  ${line}`),
    ),
    '',
    ...notes.flatMap((note) => wrap(`Note: ${note}`, style.width, '  ')),
  ];
}

function section(title: string, quantities: readonly Quantity[], { width }: ReportStyle): string[] {
  const present = quantities.filter(({ estimate }) => estimate.kind === 'value');
  const rows = present.map((quantity) => quantityRow(quantity));
  const absent = quantities.flatMap(({ name, estimate, seeds }) => {
    if (estimate.kind === 'absent') return wrap(`${name}: absent, ${estimate.reason}`, width - 2, '  ');
    const missing = seeds.filter(({ value }) => value === null);
    if (missing.length === 0) return [];
    const which = `${name}: without ${missing.length} of ${seeds.length} seeds, ${missing[0]!.reason ?? ''}`;
    return wrap(which, width - 2, '  ');
  });
  const hasNull = present.some((quantity) => quantity.null !== null);
  const heads = ['', 'unit', 'mean', '95 % interval', 'seeds', ...(hasNull ? ['null', 'p'] : [])];
  const alignment = ['left', 'left', 'right', 'left', 'right', 'right', 'right'] as const;
  const table =
    rows.length === 0
      ? []
      : textTable(
          [heads, ...rows.map((row) => row.slice(0, heads.length))],
          alignment.slice(0, heads.length),
        );
  const nulls = [
    ...new Set(present.flatMap((quantity) => (quantity.null === null ? [] : [quantity.null.name]))),
  ];
  return [
    ...wrap(title, width, '  '),
    ...table.map((line) => `  ${line}`),
    ...absent.map((line) => `  ${line}`),
    ...nulls.map((name) => `  null: ${name}`),
    '',
  ];
}

function quantityRow(quantity: Quantity): string[] {
  const { name, unit, estimate, null: own } = quantity;
  if (estimate.kind === 'absent') return [];
  const signed = own !== null;
  const nullValue =
    own === null
      ? ''
      : own.kind === 'zero'
        ? '0'
        : own.estimate.kind === 'absent'
          ? 'absent'
          : formatNumber(own.estimate.estimate, signed);
  return [
    name,
    unit === '1' ? '' : unit,
    formatNumber(estimate.estimate, signed),
    formatInterval(estimate, signed),
    String(estimate.seeds),
    nullValue,
    formatPValue(pValueAgainstNull(quantity)),
  ];
}

/** Means over seeds of the curves, as braille lines. */
function chartLines(
  curves: readonly Curve[],
  stageStarts: ArmAnalysis['stageStarts'],
  { width, colour }: ReportStyle,
): string[] {
  if (curves.length === 0) return [];
  const chart = lineChart({
    series: curves.map(({ name, steps, values }) => ({
      name,
      x: steps,
      y: steps.map((_, i) => meanAt(values, i)),
    })),
    width: Math.min(width, 100),
    height: chartHeight,
    xLabel: 'step',
    yLabel: 'cosine',
    markers: stageStarts.map(({ step, name }) => ({ x: step, label: name })),
  });
  return [
    'The same over training, mean over seeds',
    ...(colour ? renderAnsi(chart) : renderPlain(chart)),
    '',
  ];
}

/** Mean over the seeds that have the point. */
function meanAt(values: Curve['values'], point: number): number | null {
  const present = values.flatMap((own) => {
    const value = own[point];
    return value === null || value === undefined ? [] : [value];
  });
  return present.length === 0 ? null : present.reduce((sum, value) => sum + value, 0) / present.length;
}
