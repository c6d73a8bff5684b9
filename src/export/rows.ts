import type { ColumnSet } from '../store/column-views.js';
import { exportBuffer, type ChosenRows, type ExportBuffer } from './export-buffer.js';
import type { ExportedColumn, ExportedRows } from './exported-columns.js';

/** Rows of a batch that satisfy every test. */
export function rowsThatPass(rows: number, tests: readonly ((row: number) => boolean)[]): ChosenRows {
  if (tests.length === 0) return null;
  const kept = new Int32Array(rows);
  let count = 0;
  for (let row = 0; row < rows; row++) if (tests.every((test) => test(row))) kept[count++] = row;
  return kept.subarray(0, count);
}

/** Gathers rows of batches of several runs until there are enough to be written at once. */
export class RowBuffer {
  readonly #constant: readonly ExportBuffer[];
  readonly #own: readonly { readonly name: string; readonly buffer: ExportBuffer }[];
  #rows = 0;

  /**
   * @param constant columns that hold the same in all rows of a run
   * @param own columns of the table
   * @param capacity rows that it holds without growing
   */
  constructor(constant: readonly ExportedColumn[], own: readonly ExportedColumn[], capacity: number) {
    this.#constant = constant.map((column) => exportBuffer(column, capacity));
    this.#own = own.map((column) => ({ name: column.name, buffer: exportBuffer(column, capacity) }));
  }

  get rows(): number {
    return this.#rows;
  }

  /**
   * Takes in chosen rows of a batch; a column that only other runs have holds nothing in them.
   *
   * @param values of the constant columns
   */
  add(values: readonly (string | number | boolean | null)[], batch: ColumnSet, chosen: ChosenRows): void {
    const rows = chosen?.length ?? batch.rows;
    if (rows === 0) return;
    const names = new Set(batch.names);
    this.#constant.forEach((buffer, i) => buffer.repeat(values[i]!, rows));
    for (const { name, buffer } of this.#own) {
      if (names.has(name)) buffer.add(batch.view(name), chosen);
      else buffer.repeat(null, rows);
    }
    this.#rows += rows;
  }

  /** What was gathered, which the next {@link add} may write over; the buffer is empty then. */
  take(): ExportedRows {
    const rows = this.#rows;
    this.#rows = 0;
    const buffers = [...this.#constant, ...this.#own.map(({ buffer }) => buffer)];
    return { rows, columns: buffers.map((buffer) => buffer.take()) };
  }
}
