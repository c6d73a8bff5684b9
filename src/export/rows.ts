import type { ColumnSet, ColumnView } from '../store/column-views.js';
import type { ExportedColumn, ExportedRows, ExportedValues } from './exported-columns.js';

/** Numbers of the rows of a batch that are exported, in order; null: all of them. */
export type ChosenRows = Int32Array | null;

/** Rows of a batch that satisfy every test. */
export function keptRows(rows: number, tests: readonly ((row: number) => boolean)[]): ChosenRows {
  if (tests.length === 0) return null;
  const chosen = new Int32Array(rows);
  let count = 0;
  for (let row = 0; row < rows; row++) if (tests.every((test) => test(row))) chosen[count++] = row;
  return chosen.subarray(0, count);
}

/** Values of chosen rows of one column of a run's table, in memory of their own. */
function exportedValues(view: ColumnView, chosen: ChosenRows): ExportedValues {
  const rows = chosen ?? Int32Array.from({ length: view.length }, (_, row) => row);
  const isMissing = (row: number): boolean => view.valid !== null && view.valid[row] === 0;
  switch (view.kind) {
    case 'int32':
      return {
        kind: 'int32',
        values: Int32Array.from(rows, (row) => view.values[row]!),
        ...valid(view, rows),
      };
    case 'float64':
      return {
        kind: 'float64',
        values: Float64Array.from(rows, (row) => view.values[row]!),
        ...valid(view, rows),
      };
    case 'float32':
      return {
        kind: 'float32',
        values: Float32Array.from(rows, (row) => view.values[row]!),
        ...valid(view, rows),
      };
    case 'bool':
      return {
        kind: 'bool',
        values: Uint8Array.from(rows, (row) => view.values[row]!),
        ...valid(view, rows),
      };
    case 'utf8':
      return { kind: 'text', values: Array.from(rows, (row) => (isMissing(row) ? null : view.values[row]!)) };
    case 'dictionary': {
      const { values, indices } = view;
      return {
        kind: 'text',
        values: Array.from(rows, (row) => (isMissing(row) ? null : values[indices[row]!]!)),
      };
    }
    case 'fixed-list-float32': {
      const { values, size } = view;
      const list = (row: number) => values.slice(row * size, (row + 1) * size);
      return { kind: 'list', values: Array.from(rows, (row) => (isMissing(row) ? null : list(row))) };
    }
    default: {
      const { values, offsets } = view;
      const list = (row: number) => values.slice(offsets[row], offsets[row + 1]);
      return { kind: 'list', values: Array.from(rows, (row) => (isMissing(row) ? null : list(row))) };
    }
  }
}

function valid(view: ColumnView, rows: Int32Array): { readonly valid: Uint8Array | null } {
  const { valid: all } = view;
  return { valid: all === null ? null : Uint8Array.from(rows, (row) => all[row]!) };
}

/** `rows` rows of a column that all hold the same: a text, a number, or nothing. */
export function constantValues(
  { kind }: ExportedColumn,
  value: string | number | boolean | null,
  rows: number,
): ExportedValues {
  const missing = value === null ? new Uint8Array(rows) : null;
  const number = Number(value ?? 0);
  switch (kind) {
    case 'int32':
      return { kind, values: new Int32Array(rows).fill(number), valid: missing };
    case 'float64':
      return { kind, values: new Float64Array(rows).fill(number), valid: missing };
    case 'float32':
      return { kind, values: new Float32Array(rows).fill(number), valid: missing };
    case 'bool':
      return { kind, values: new Uint8Array(rows).fill(number), valid: missing };
    case 'text':
      return { kind, values: new Array<string | null>(rows).fill(value === null ? null : String(value)) };
    case 'list':
      return { kind, values: new Array<null>(rows).fill(null) };
  }
}

/** Columns of a batch that a table has, with nothing for those that only other runs have. */
export function batchValues(
  columns: readonly ExportedColumn[],
  batch: ColumnSet,
  chosen: ChosenRows,
): ExportedValues[] {
  const names = new Set(batch.names);
  const rows = chosen?.length ?? batch.rows;
  return columns.map((column) =>
    names.has(column.name)
      ? exportedValues(batch.view(column.name), chosen)
      : constantValues(column, null, rows),
  );
}

/** The rows of several pieces, one after the other. */
export function joinRows(pieces: readonly ExportedRows[]): ExportedRows {
  const [first] = pieces;
  if (first === undefined || pieces.length === 1) return first ?? { rows: 0, columns: [] };
  const rows = pieces.reduce((sum, piece) => sum + piece.rows, 0);
  return {
    rows,
    columns: first.columns.map((_, i) =>
      joinValues(
        pieces.map(({ columns }) => columns[i]!),
        rows,
      ),
    ),
  };
}

function joinValues(parts: readonly ExportedValues[], rows: number): ExportedValues {
  const { kind } = parts[0]!;
  switch (kind) {
    case 'text':
      return { kind, values: parts.flatMap((part) => (part.kind === kind ? part.values : [])) };
    case 'list':
      return { kind, values: parts.flatMap((part) => (part.kind === kind ? part.values : [])) };
    case 'int32':
      return { kind, values: fill(new Int32Array(rows), parts), valid: joinValid(parts, rows) };
    case 'float64':
      return { kind, values: fill(new Float64Array(rows), parts), valid: joinValid(parts, rows) };
    case 'float32':
      return { kind, values: fill(new Float32Array(rows), parts), valid: joinValid(parts, rows) };
    case 'bool':
      return { kind, values: fill(new Uint8Array(rows), parts), valid: joinValid(parts, rows) };
  }
}

type NumberArray = Int32Array | Float64Array | Float32Array | Uint8Array;

function fill<A extends NumberArray>(target: A, parts: readonly ExportedValues[]): A {
  let at = 0;
  for (const part of parts) {
    if (part.kind === 'text' || part.kind === 'list') continue;
    target.set(part.values, at);
    at += part.values.length;
  }
  return target;
}

function joinValid(parts: readonly ExportedValues[], rows: number): Uint8Array | null {
  const flags = new Uint8Array(rows).fill(1);
  let isComplete = true;
  let at = 0;
  for (const part of parts) {
    if (part.kind !== 'text' && part.kind !== 'list' && part.valid !== null) {
      flags.set(part.valid, at);
      isComplete = false;
    }
    at += part.values.length;
  }
  return isComplete ? null : flags;
}
