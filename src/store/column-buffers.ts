import { bitmapOf, clearBit, fullBitmap } from './bitmap.js';
import { missingInt32 } from './column-views.js';
import type { ColumnView } from './column-views.js';
import type { ResolvedColumn } from './columns.js';
import type { MessageBody } from './message-body.js';

/** Where a value that cannot be written stands, for messages. */
export interface Place {
  readonly table: string;
  /** Rows of the table before this batch. */
  readonly firstRow: number;
}

/** The rows of one column that are being filled. Its memory is kept from batch to batch. */
export interface ColumnBuffer<V> {
  /** What the caller fills. A new object after a {@link reserve} that had to grow. */
  readonly view: V;
  /** Mark rows `from` to `to` as not set yet, growing to hold them. */
  reserve(from: number, to: number): void;
  /** Bytes that the first `rows` rows take. */
  byteLength(rows: number): number;
  /** Append the first `rows` rows to a batch. Throws an Error naming table, column and row for an impossible value. */
  encode(rows: number, body: MessageBody, place: Place): void;
  /** Forget all rows; absent where {@link reserve} marks them anyway. */
  reset?(): void;
  /** Put the rows of a view of the same kind at row `at`, which must be reserved. */
  copy(view: ColumnView, at: number): void;
}

/** Copy into a larger array when `length` does not fit; at least doubles, so that growing costs O(1) a value. */
export function grown<A extends Int32Array | Float64Array | Float32Array | Uint8Array>(
  array: A,
  length: number,
  allocate: (length: number) => A,
): A {
  if (length <= array.length) return array;
  const larger = allocate(Math.max(length, 2 * array.length));
  larger.set(array);
  return larger;
}

/** The error for a value that must not be written. */
export function valueError(column: ResolvedColumn, place: Place, row: number, what: string): Error {
  return new Error(`table ${place.table}, column ${column.name}, row ${place.firstRow + row}: ${what}`);
}

/** Two views of other kinds in one column are a defect of the caller. */
export function kindError(column: ResolvedColumn, view: ColumnView): Error {
  return new Error(`column ${column.name} is ${column.kind}, not ${view.kind}`);
}

/** int32 and both floats: a missing value is null where the column may hold nulls and an error where not. */
export class NumberBuffer<A extends Int32Array | Float64Array | Float32Array> implements ColumnBuffer<A> {
  view: A;
  readonly #missing: number;

  constructor(
    private readonly column: ResolvedColumn,
    private readonly allocate: (length: number) => A,
  ) {
    this.view = allocate(0);
    this.#missing = column.kind === 'int32' ? missingInt32 : Number.NaN;
  }

  reserve(from: number, to: number): void {
    this.view = grown(this.view, to, this.allocate);
    this.view.fill(this.#missing, from, to);
  }

  byteLength(rows: number): number {
    return rows * this.view.BYTES_PER_ELEMENT;
  }

  encode(rows: number, body: MessageBody, place: Place): void {
    const { view } = this;
    const missing = this.#missing;
    let nulls = 0;
    let valid: Uint8Array | null = null;
    for (let row = 0; row < rows; row++) {
      const value = view[row] ?? missing;
      if (value !== missing && !Number.isNaN(value)) continue;
      if (!this.column.nullable) throw valueError(this.column, place, row, this.#complaint());
      valid ??= fullBitmap(rows);
      clearBit(valid, row);
      nulls++;
    }
    body.node(rows, nulls);
    body.buffer(valid);
    body.buffer(view.subarray(0, rows));
  }

  copy(view: ColumnView, at: number): void {
    if (view.kind !== 'int32' && view.kind !== 'float32' && view.kind !== 'float64') {
      throw kindError(this.column, view);
    }
    this.view.set(view.values, at);
  }

  #complaint(): string {
    return this.column.kind === 'int32'
      ? `${missingInt32}, which marks a value that was not set`
      : 'NaN, or not set, in a column without nulls';
  }
}

/** Text with a known set of values: the caller writes positions in `column.values`. */
export class DictionaryBuffer implements ColumnBuffer<Int32Array> {
  view: Int32Array;

  constructor(private readonly column: ResolvedColumn) {
    this.view = new Int32Array();
  }

  reserve(from: number, to: number): void {
    this.view = grown(this.view, to, (length) => new Int32Array(length));
    this.view.fill(-1, from, to);
  }

  byteLength(rows: number): number {
    return rows * 4;
  }

  encode(rows: number, body: MessageBody, place: Place): void {
    const { view } = this;
    const size = this.column.values.length;
    for (let row = 0; row < rows; row++) {
      const index = view[row] ?? -1;
      if (index < 0 || index >= size) {
        throw valueError(this.column, place, row, `index ${index}, not set or not below ${size}`);
      }
    }
    body.node(rows, 0);
    body.buffer(null);
    body.buffer(view.subarray(0, rows));
  }

  copy(view: ColumnView, at: number): void {
    if (view.kind !== 'dictionary') throw kindError(this.column, view);
    this.view.set(view.indices, at);
  }
}

/** Truth values: the caller writes 0 or 1. */
export class BoolBuffer implements ColumnBuffer<Uint8Array> {
  view: Uint8Array;

  constructor(private readonly column: ResolvedColumn) {
    this.view = new Uint8Array();
  }

  reserve(from: number, to: number): void {
    this.view = grown(this.view, to, (length) => new Uint8Array(length));
    this.view.fill(255, from, to);
  }

  byteLength(rows: number): number {
    return rows / 8;
  }

  encode(rows: number, body: MessageBody, place: Place): void {
    const { view } = this;
    for (let row = 0; row < rows; row++) {
      const value = view[row] ?? 255;
      if (value > 1) throw valueError(this.column, place, row, `${value}, not set or not 0 or 1`);
    }
    body.node(rows, 0);
    body.buffer(null);
    body.buffer(bitmapOf(view.subarray(0, rows)));
  }

  copy(view: ColumnView, at: number): void {
    if (view.kind !== 'bool') throw kindError(this.column, view);
    this.view.set(view.values, at);
  }
}
