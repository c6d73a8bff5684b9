import { fitText } from '../../src/report/charts/text-width.js';
import { formatNumber, formatPValue } from '../../src/report/text/numbers.js';
import { fittedTable, textTable } from '../../src/report/text/table.js';
import type { ShownEstimate, ShownQuantity, ShownSection } from '../data/analysis-file.js';
import { wrapped } from './picture.js';
import { numbers, texts, type Slice } from '../../src/report/slice/slice.js';
import { paint, signs, type Style } from './style.js';

/** `+0.110`, or empty where there is no estimate. */
function meanText(estimate: ShownEstimate, signed: boolean): string {
  return estimate.kind === 'absent' ? 'absent' : formatNumber(estimate.estimate, signed);
}

/** `[low, high]`, or why there is no interval. */
export function intervalText(estimate: ShownEstimate, signed: boolean): string {
  if (estimate.kind === 'absent') return '';
  if (estimate.interval === null) return `none: ${estimate.missing ?? 'not made'}`;
  return `[${estimate.interval.map((end) => formatNumber(end, signed)).join(', ')}]`;
}

function nullText({ null: own }: ShownQuantity): string {
  if (own === null) return '';
  return own.kind === 'zero' ? '0' : meanText(own.estimate, true);
}

/** Two-sided p-value of "the quantity equals its null"; null where there is no such test. */
function pValueOf({ estimate, null: own }: ShownQuantity): number | null {
  const tested = own === null ? null : own.kind === 'zero' ? estimate : own.difference;
  return tested === null || tested.kind === 'absent' ? null : tested.pValue;
}

/** Below this many columns the value of a single seed is left out. */
const narrow = 96;

export interface QuantityTableOptions {
  readonly width: number;
  readonly style: Style;
  /** Shows the value of this seed beside the mean. */
  readonly seed?: number | undefined;
  /** Whether rows are named by labels that need no title of a section above them. */
  readonly fullLabels?: boolean;
  /** Keeps the quantities for which it is true. */
  readonly keep?: ((quantity: ShownQuantity) => boolean) | undefined;
}

/**
 * Quantities of a section, one per row: unit, mean over seeds, interval, null and p-value, and below what the nulls are
 * and why others are absent.
 */
export function quantityLines(section: ShownSection, options: QuantityTableOptions): string[] {
  const { width, style, seed, fullLabels = false, keep = () => true } = options;
  const nameOf = ({ label, shortLabel = label }: ShownQuantity): string => (fullLabels ? label : shortLabel);
  const quantities = section.quantities.filter((own) => keep(own));
  const present = quantities.filter(({ estimate }) => estimate.kind === 'value');
  const seeds = Math.max(
    0,
    ...present.map(({ estimate }) => (estimate.kind === 'value' ? estimate.seeds : 0)),
  );
  // In a narrow terminal the names and the intervals matter more than one seed.
  const showsSeed = seed !== undefined && seeds > 1 && width >= narrow;
  const hasNull = present.some((own) => own.null !== null);
  const isAdjusted = present.some(({ adjustedPValue }) => adjustedPValue !== null);
  const head = [
    '',
    'unit',
    ...(showsSeed ? [`seed ${seed}`] : []),
    'mean',
    '95 % interval',
    'seeds',
    ...(hasNull ? ['null', 'p'] : []),
    ...(isAdjusted ? ['p, Holm'] : []),
  ];
  const rows = present.map((own) => {
    const signed = own.null !== null;
    const value = own.seeds.find((one) => one.seed === seed)?.value ?? null;
    return [
      nameOf(own),
      own.unit === '1' ? '' : own.unit,
      ...(showsSeed ? [value === null ? '' : formatNumber(value, signed)] : []),
      meanText(own.estimate, signed),
      intervalText(own.estimate, signed).replace(/^none: .*/, 'none'),
      own.estimate.kind === 'value' ? String(own.estimate.seeds) : '',
      ...(hasNull ? [nullText(own), formatPValue(pValueOf(own))] : []),
      ...(isAdjusted ? [formatPValue(own.adjustedPValue)] : []),
    ];
  });
  const names = [...new Set(present.flatMap((own) => (own.null === null ? [] : [own.null.label])))];
  const absent = quantities.flatMap((own) =>
    own.estimate.kind === 'absent' ? [`${nameOf(own)}: absent, ${own.estimate.reason}`] : [],
  );
  const { more } = signs(style);
  const missing = [
    ...new Set(
      present.flatMap(({ estimate }) =>
        estimate.kind === 'value' && estimate.interval === null && estimate.missing !== null
          ? [estimate.missing]
          : [],
      ),
    ),
  ];
  // The name gives way first, over several lines: the numbers are what the table is for.
  const table = fittedTable([head, ...rows], alignment(showsSeed, hasNull, isAdjusted), width);
  return [
    ...(rows.length === 0
      ? []
      : table.map((line, i) =>
          paint(fitText(line, width, more).trimEnd(), i === 0 ? 'bold' : 'plain', style),
        )),
    ...absent.flatMap((line) => wrapped(line, width)),
    ...missing.flatMap((reason) =>
      wrapped(`no interval: ${reason}`, width).map((line) => paint(line, 'dim', style)),
    ),
    ...names.flatMap((name) => wrapped(`null: ${name}`, width).map((line) => paint(line, 'dim', style))),
  ];
}

const alignment = (showsSeed: boolean, hasNull: boolean, isAdjusted: boolean): ('left' | 'right')[] => [
  'left',
  'left',
  ...(showsSeed ? ['right' as const] : []),
  'right',
  'left',
  'right',
  ...(hasNull ? ['right' as const, 'right' as const] : []),
  ...(isAdjusted ? ['right' as const] : []),
];

/** Quantities as a table for export. */
export function quantitySlice(sections: readonly ShownSection[]): Slice {
  const rows = sections.flatMap(({ id, quantities }) => quantities.map((own) => ({ section: id, own })));
  const of = (
    estimate: ShownEstimate | null,
    pick: (value: Extract<ShownEstimate, { kind: 'value' }>) => number | null,
  ) => (estimate?.kind === 'value' ? pick(estimate) : null);
  const nullOf = ({ null: own }: ShownQuantity): number | null =>
    own === null ? null : own.kind === 'zero' ? 0 : of(own.estimate, ({ estimate }) => estimate);
  return {
    columns: [
      texts(
        'section',
        rows.map(({ section }) => section),
      ),
      texts(
        'quantity',
        rows.map(({ own }) => own.id),
      ),
      texts(
        'label',
        rows.map(({ own }) => own.label),
      ),
      texts(
        'unit',
        rows.map(({ own }) => own.unit),
      ),
      numbers(
        'mean',
        '1',
        rows.map(({ own }) => of(own.estimate, ({ estimate }) => estimate)),
      ),
      numbers(
        'low',
        '1',
        rows.map(({ own }) => of(own.estimate, ({ interval }) => interval?.[0] ?? null)),
      ),
      numbers(
        'high',
        '1',
        rows.map(({ own }) => of(own.estimate, ({ interval }) => interval?.[1] ?? null)),
      ),
      numbers(
        'seeds',
        '1',
        rows.map(({ own }) => of(own.estimate, ({ seeds }) => seeds)),
      ),
      numbers(
        'null',
        '1',
        rows.map(({ own }) => nullOf(own)),
      ),
      numbers(
        'p',
        '1',
        rows.map(({ own }) => pValueOf(own)),
      ),
    ],
  };
}

/** Further nulls of the quantities of a section, and what to know of it, one line each. */
export function controlLines(section: ShownSection, { width, style }: QuantityTableOptions): string[] {
  const rows = section.quantities.flatMap(({ label, shortLabel = label, controls }) =>
    controls.map((control) => [
      shortLabel,
      control.label,
      meanText(control.estimate, true),
      control.difference.kind === 'value'
        ? `${meanText(control.difference, true)} ${intervalText(control.difference, true)}`
        : '',
    ]),
  );
  const { more } = signs(style);
  const head = ['', 'further null', 'its value', 'quantity - it, 95 % interval'];
  const notes = section.notes.flatMap((note) => wrapped(`note: ${note}`, width));
  if (rows.length === 0) return notes;
  const names = Math.max(12, Math.floor(width * 0.28));
  const table = textTable(
    [head, ...rows].map(([name, control, ...rest]) => [
      fitText(name!, Math.min(names, Math.max(...rows.map((row) => row[0]!.length))), more),
      fitText(
        control!,
        Math.min(names, Math.max(...rows.map((row) => row[1]!.length), head[1]!.length)),
        more,
      ),
      ...rest,
    ]),
    ['left', 'left', 'right', 'left'],
  );
  return [
    ...table.map((line, i) => paint(fitText(line, width, more).trimEnd(), i === 0 ? 'bold' : 'plain', style)),
    ...notes,
  ];
}
