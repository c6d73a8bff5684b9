import { rowsOf, type Slice } from '../view/slice.js';

/** A slice as CSV (RFC 4180): names with their units, an empty cell for what is missing. */
export function toCsv(slice: Slice): string {
  const { columns } = slice;
  const header = columns.map(({ name, unit }) =>
    cell(unit === '' || unit === '1' ? name : `${name} (${unit})`),
  );
  const rows = Array.from({ length: rowsOf(slice) }, (_, row) =>
    columns.map(({ values }) =>
      cell(values[row] === null || values[row] === undefined ? '' : String(values[row])),
    ),
  );
  return `${[header, ...rows].map((row) => row.join(',')).join('\n')}\n`;
}

const cell = (text: string): string => (/[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
