import papaparse from 'papaparse';
import type { ExportedValues } from './exported-columns.js';
import type { ExportFormat } from './table-sink.js';

/** CSV (RFC 4180): an empty cell for what is missing, the numbers of a list in one cell with blanks between them. */
export const csvFormat: ExportFormat = {
  ending: '.csv',
  rowsAtOnce: 16_384,
  open: ({ columns }, sink) => {
    const write = (rows: unknown[][]): void =>
      sink([new TextEncoder().encode(`${papaparse.unparse(rows, { newline: '\n' })}\n`)]);
    write([columns.map(({ name }) => name)]);
    return {
      write: ({ rows, columns: values }) => {
        const cells = values.map(cellsOf);
        if (rows > 0) write(Array.from({ length: rows }, (_, row) => cells.map((cell) => cell(row))));
      },
      finish: () => {},
    };
  },
};

function cellsOf(values: ExportedValues): (row: number) => string | number | null {
  switch (values.kind) {
    case 'text':
      return (row) => values.words[values.codes[row]!] ?? null;
    case 'list':
      return (row) => {
        const list = values.values[row];
        return list === null || list === undefined ? null : Array.from(list).join(' ');
      };
    case 'bool':
      return (row) => (isMissing(values.valid, row) ? null : values.values[row] === 1 ? 'true' : 'false');
    default:
      return (row) => (isMissing(values.valid, row) ? null : values.values[row]!);
  }
}

const isMissing = (valid: Uint8Array | null, row: number): boolean => valid !== null && valid[row] === 0;
