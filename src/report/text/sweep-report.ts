import type { SweepAnalysis, SweptArm } from '../../analysis/sweep.js';
import type { SweepTrend } from '../../analysis/sweep/trend.js';
import { axisNumber } from '../../store/sweep-design.js';
import { formatInterval, formatNumber, formatPValue, formatSeeds } from './numbers.js';
import { textTable, wrap } from './table.js';

/** A sweep's table as lines of text: one row per arm, gaps with intervals, accuracies as means. */
export function sweepReport({ name, axes, arms, trends }: SweepAnalysis, width: number): string[] {
  const label = axes.length === 1 && arms.every((arm) => axisNumber(arm) !== null) ? axes[0]!.label : 'arm';
  const side = label === 'arm' ? 'left' : 'right';
  const all = arms.map(({ quantities }) => quantities).toSorted((a, b) => b.length - a.length)[0]!;
  const gaps = all.filter((quantity) => quantity.null !== null);
  const sizes = all.filter((quantity) => quantity.null === null);
  const tables = gaps.map(({ id, label: what }) => {
    const head = [label, what, '95 % interval', 'SD', 'p', 'seeds'];
    const rows = arms.map((arm) => gapRow(arm, id));
    return textTable([head, ...rows], [side, 'right', 'left', 'right', 'right', 'left']);
  });
  const sections = [...new Set(sizes.map(({ id }) => id.split('.')[0]!))];
  const means = sections.map((section) => {
    const own = sizes.filter(({ id }) => id.startsWith(`${section}.`));
    const head = [label, ...own.map(({ label: what, shortLabel = what }) => shortLabel)];
    return textTable(
      [head, ...arms.map((arm) => [arm.name, ...own.map(({ id }) => meanOf(arm, id))])],
      head.map((_, column) => (column === 0 ? side : 'right')),
    );
  });
  return [
    axes.length === 0 ? name : `${name}: ${axes.map(({ key }) => key).join(', ')}`,
    ...[...tables, ...means].flatMap((table) => ['', ...table]),
    ...trends.flatMap((trend) => ['', ...wrap(trendLine(trend, label), width, '  ')]),
    ...missingSeeds(arms).flatMap((line) => ['', ...wrap(line, width, '  ')]),
  ];
}

function gapRow({ name, quantities }: SweptArm, quantity: string): string[] {
  const own = quantities.find(({ id }) => id === quantity);
  if (own === undefined) return [name, 'absent', 'it has not been measured', '', '', ''];
  const { estimate, seeds } = own;
  const present = seeds.filter((each) => each.value !== null).map(({ seed }) => seed);
  if (estimate.kind === 'absent') return [name, 'absent', estimate.reason, '', '', ''];
  const { standardError } = estimate;
  return [
    name,
    formatNumber(estimate.estimate, true),
    formatInterval(estimate, true),
    standardError === null ? '' : formatNumber(standardError * Math.sqrt(present.length)),
    formatPValue(estimate.pValue),
    `${present.length} (${formatSeeds(present)})`,
  ];
}

function trendLine({ label, unit, seeds, slope, page }: SweepTrend, axis: string): string {
  const head = `trend of the ${label} over ${axis}, ${seeds.length} seeds that have all arms`;
  if (page.kind === 'absent') return `${head}: ${page.reason}`;
  const change =
    slope.kind === 'absent'
      ? slope.reason
      : `${formatNumber(slope.estimate, true)} ${formatInterval(slope, true)} ${unit}`;
  return `${head}: ${change}; Page's test p = ${formatPValue(page.pValue)} (exploratory, not adjusted)`;
}

function meanOf({ quantities }: SweptArm, quantity: string): string {
  const estimate = quantities.find(({ id }) => id === quantity)?.estimate;
  return estimate?.kind === 'value' ? formatNumber(estimate.estimate) : '';
}

function missingSeeds(arms: readonly SweptArm[]): string[] {
  return arms.flatMap(({ name, quantities }) => {
    const missing = quantities[0]!.seeds.filter((own) => own.value === null);
    return missing.length === 0
      ? []
      : [
          `arm ${name}: ${missing.length} of ${quantities[0]!.seeds.length} seeds are missing (${missing[0]!.reason})`,
        ];
  });
}
