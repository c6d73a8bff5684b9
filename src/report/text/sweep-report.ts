import type { PointAnalysis, SweepAnalysis } from '../../analysis/sweep.js';
import type { SweepTrend } from '../../analysis/sweep-trend.js';
import { formatInterval, formatNumber, formatPValue, formatSeeds } from './numbers.js';
import { textTable, wrap } from './table.js';

/** A sweep's table as lines of text: one row per value, gaps with intervals, accuracies as means. */
export function sweepReport({ name, axis, points, trends = [] }: SweepAnalysis, width: number): string[] {
  const gaps = points[0]!.quantities.flatMap((quantity, i) => (quantity.null === null ? [] : [i]));
  const sizes = points[0]!.quantities.flatMap((quantity, i) => (quantity.null === null ? [i] : []));
  const tables = gaps.map((index) => {
    const head = [axis.label, points[0]!.quantities[index]!.label, '95 % interval', 'SD', 'p', 'seeds'];
    const rows = points.map((point) => gapRow(point, index));
    return textTable([head, ...rows], ['right', 'right', 'left', 'right', 'right', 'left']);
  });
  const head = [axis.label, ...sizes.map((index) => points[0]!.quantities[index]!.label)];
  const means = textTable(
    [head, ...points.map((point) => [String(point.value), ...sizes.map((index) => meanOf(point, index))])],
    head.map(() => 'right'),
  );
  return [
    `${name}: ${axis.key}`,
    ...[...tables, means].flatMap((table) => ['', ...table]),
    ...trends.flatMap((trend) => ['', ...wrap(trendLine(trend, axis.label), width, '  ')]),
    ...missingSeeds(points).flatMap((line) => ['', ...wrap(line, width, '  ')]),
  ];
}

function gapRow({ value, quantities }: PointAnalysis, index: number): string[] {
  const { estimate, seeds } = quantities[index]!;
  const present = seeds.filter((own) => own.value !== null).map(({ seed }) => seed);
  if (estimate.kind === 'absent') return [String(value), 'absent', estimate.reason, '', '', ''];
  const { standardError } = estimate;
  return [
    String(value),
    formatNumber(estimate.estimate, true),
    formatInterval(estimate, true),
    standardError === null ? '' : formatNumber(standardError * Math.sqrt(present.length)),
    formatPValue(estimate.pValue),
    `${present.length} (${formatSeeds(present)})`,
  ];
}

function trendLine({ label, unit, seeds, slope, page }: SweepTrend, axis: string): string {
  const head = `trend of the ${label} over ${axis}, ${seeds.length} seeds that have all values`;
  if (page.kind === 'absent') return `${head}: ${page.reason}`;
  const change =
    slope.kind === 'absent'
      ? slope.reason
      : `${formatNumber(slope.estimate, true)} ${formatInterval(slope, true)} ${unit}`;
  return `${head}: ${change}; Page's test p = ${formatPValue(page.pValue)} (exploratory, not adjusted)`;
}

function meanOf({ quantities }: PointAnalysis, index: number): string {
  const { estimate } = quantities[index]!;
  return estimate.kind === 'absent' ? '' : formatNumber(estimate.estimate);
}

function missingSeeds(points: readonly PointAnalysis[]): string[] {
  return points.flatMap(({ value, quantities }) => {
    const missing = quantities[0]!.seeds.filter((own) => own.value === null);
    return missing.length === 0
      ? []
      : [
          `at ${value}: ${missing.length} of ${quantities[0]!.seeds.length} seeds are missing (${missing[0]!.reason})`,
        ];
  });
}
