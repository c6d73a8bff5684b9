import { float64, int32, utf8, type TableDefinition } from '../../store/columns.js';
import { units } from '../../store/units.js';
import type { Quantity } from '../quantity.js';
import { axisNumber } from '../../store/sweep-design.js';
import type { SweepAnalysis } from '../sweep.js';
import { writeTable } from '../write-table.js';

/** The table of a sweep. */
export const sweepTable = {
  name: 'sweep',
  row: 'one arm x quantity',
  columns: {
    arm: utf8('Name of the arm.'),
    value: float64('Value on the axis of the sweep; null unless it has one axis, of numbers.', {
      unit: 'unit of the key',
      nullable: true,
    }),
    quantity: utf8('Id of the quantity.'),
    label: utf8('What was measured.'),
    unit: utf8('Unit of the mean and its interval.'),
    seeds: int32('Seeds with a value.', { unit: 'seed' }),
    mean: float64('Mean over seeds; null means that no seed has a value.', {
      unit: units.quantity,
      nullable: true,
    }),
    low: float64('Lower end of the 95 % t interval over seeds; null means that there is none.', {
      unit: units.quantity,
      nullable: true,
    }),
    high: float64('Upper end of the interval.', { unit: units.quantity, nullable: true }),
    standard_deviation: float64('Standard deviation over seeds.', { unit: units.quantity, nullable: true }),
    p: float64('Two-sided p-value of the t test against 0; null for a quantity that is a size.', {
      nullable: true,
    }),
  },
} as const satisfies TableDefinition;

/** A row of {@link sweepTable}; null where there is no number. */
export interface SweepRow {
  readonly arm: string;
  readonly value: number | null;
  readonly quantity: string;
  readonly label: string;
  readonly unit: string;
  readonly seeds: number;
  readonly mean: number | null;
  readonly low: number | null;
  readonly high: number | null;
  readonly standard_deviation: number | null;
  readonly p: number | null;
}

export function sweepRows({ arms }: Pick<SweepAnalysis, 'arms'>): SweepRow[] {
  return arms.flatMap((arm) => arm.quantities.map((quantity) => rowOf(arm.name, axisNumber(arm), quantity)));
}

function rowOf(
  arm: string,
  value: number | null,
  { id, label, unit, estimate, null: own, seeds }: Quantity,
): SweepRow {
  const present = seeds.filter((seed) => seed.value !== null).length;
  const base = { arm, value, quantity: id, label, unit, seeds: present };
  if (estimate.kind === 'absent') {
    return { ...base, mean: null, low: null, high: null, standard_deviation: null, p: null };
  }
  const { standardError, interval } = estimate;
  return {
    ...base,
    mean: estimate.estimate,
    low: interval?.[0] ?? null,
    high: interval?.[1] ?? null,
    standard_deviation: standardError === null ? null : standardError * Math.sqrt(present),
    p: own === null ? null : estimate.pValue,
  };
}

const columns = Object.keys(sweepTable.columns) as (keyof SweepRow)[];

/** The table as CSV, with empty cells for null. */
export function sweepCsv(rows: readonly SweepRow[]): string {
  const cell = (value: string | number | null): string => {
    const text = value === null ? '' : String(value);
    return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const lines = rows.map((row) => columns.map((name) => cell(row[name])).join(','));
  return `${[columns.join(','), ...lines].join('\n')}\n`;
}

/** Writes the table as `sweep.arrow` into a folder, in place of an earlier one. */
export async function writeSweepTable(
  folder: string,
  { experiment, name, axes }: SweepAnalysis,
  rows: readonly SweepRow[],
): Promise<void> {
  await writeTable(folder, sweepTable, rows, {
    experiment,
    sweep: name,
    axes: axes.map(({ key }) => key).join(' '),
  });
}
