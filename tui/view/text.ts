import { formatNumber } from '../../src/report/text/numbers.js';
import { numberColumn, type ListViewColumn } from './list.js';

/** A column of a plain number that can be of either sign; NaN is missing. */
export function signed(title: string, value: (row: number) => number, unit = '1'): ListViewColumn {
  return numberColumn(
    title,
    unit,
    (row) => (Number.isFinite(value(row)) ? value(row) : null),
    (row) => (Number.isFinite(value(row)) ? formatNumber(value(row), true) : ''),
  );
}
