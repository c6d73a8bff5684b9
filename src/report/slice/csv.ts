import { rowsOf, type Slice, type SliceColumn } from './slice.js';

/** A slice as CSV (RFC 4180): names with their units, an empty cell for what is missing, lists as JSON. */
export function toCsv(slice: Slice): string {
  const { columns } = slice;
  const header = columns.map(({ name, unit }) =>
    cell(unit === '' || unit === '1' ? name : `${name} (${unit})`),
  );
  const rows = Array.from({ length: rowsOf(slice) }, (_, row) =>
    columns.map(({ values }) => cell(textOf(values[row] ?? null))),
  );
  return `${[header, ...rows].map((row) => row.join(',')).join('\n')}\n`;
}

const textOf = (value: SliceColumn['values'][number] | null): string =>
  value === null ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value);

const cell = (text: string): string => (/[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
