import { encodeRecordBatch } from './arrow-types.js';
import { BoolBuffer, DictionaryBuffer, NumberBuffer } from './column-buffers.js';
import type { ColumnBuffer } from './column-buffers.js';
import type { ColumnSet } from './column-views.js';
import type { ColumnKind, ResolvedColumn } from './columns.js';
import { FixedListBuffer, ListBuffer, TextBuffer } from './list-buffers.js';
import type { ListRows } from './list-buffers.js';
import { frame, MessageBody } from './message-body.js';
import type { Framed } from './message-body.js';

/** What a caller fills in a column of each kind. */
export interface ColumnFills {
  readonly int32: Int32Array;
  readonly float64: Float64Array;
  readonly float32: Float32Array;
  /** 0 or 1 a row. */
  readonly bool: Uint8Array;
  readonly utf8: string[];
  /** Positions in the dictionary. */
  readonly dictionary: Int32Array;
  /** Row i starts at `i * size`. */
  readonly 'fixed-list-float32': Float32Array;
  readonly 'list-float32': ListRows<Float32Array>;
  readonly 'list-int32': ListRows<Int32Array>;
  readonly 'list-float64': ListRows<Float64Array>;
}

export type ColumnFill = ColumnFills[ColumnKind];

/** What {@link BatchBuilder.set} takes: a number (bool and dictionary too), text, or a list. */
export type CellValue = number | string | ArrayLike<number>;

/** Collects rows of a table column by column and encodes them as record batch messages. */
export class BatchBuilder {
  readonly #buffers: ReadonlyMap<string, ColumnBuffer<ColumnFill>>;
  #rows = 0;

  constructor(
    private readonly table: string,
    columns: readonly ResolvedColumn[],
  ) {
    this.#buffers = new Map(columns.map((column) => [column.name, makers[column.kind](column)]));
  }

  /** Rows held. */
  get rows(): number {
    return this.#rows;
  }

  /** Bytes that the rows will take, about. */
  get byteLength(): number {
    let bytes = 0;
    for (const buffer of this.#buffers.values()) bytes += buffer.byteLength(this.#rows);
    return bytes;
  }

  /** Add `count` rows that are not set yet; gives the number of the first. */
  reserve(count: number): number {
    if (!Number.isSafeInteger(count) || count < 0) {
      throw new RangeError(`table ${this.table}: cannot reserve ${count} rows`);
    }
    const first = this.#rows;
    for (const buffer of this.#buffers.values()) buffer.reserve(first, first + count);
    this.#rows = first + count;
    return first;
  }

  /** What is filled in a column. Throws an Error when there is no such column. */
  column(name: string): ColumnFill {
    const buffer = this.#buffers.get(name);
    if (buffer === undefined) throw new Error(`table ${this.table} has no column ${name}`);
    return buffer.view;
  }

  /**
   * Set one value of a reserved row; lists are appended in the order of the rows. Throws an Error when the column is
   * of another kind.
   */
  set(name: string, row: number, value: CellValue): void {
    const fill = this.column(name);
    if (typeof value === 'string' && Array.isArray(fill)) fill[row] = value;
    else if (typeof value === 'number' && ArrayBuffer.isView(fill)) fill[row] = value;
    else if (typeof value === 'object' && 'extend' in fill) fill.extend(value.length).set(value);
    else throw new Error(`table ${this.table}, column ${name}: takes no ${typeof value}`);
  }

  /** Append all rows of columns that were read from a table with the same columns. */
  copy(columns: ColumnSet): void {
    const first = this.reserve(columns.rows);
    for (const [name, buffer] of this.#buffers) buffer.copy(columns.view(name), first);
  }

  /**
   * The rows as one record batch message, which shares memory with the builder. `firstRow` is the number of the first
   * row within the table, for messages. Throws an Error naming table, column and row for a value that was not set,
   * a NaN where no null may be, an index outside a dictionary, and lists that are not one per row.
   */
  encode(firstRow: number): Framed {
    const body = new MessageBody();
    const place = { table: this.table, firstRow };
    for (const buffer of this.#buffers.values()) {
      buffer.encode(this.#rows, body, place);
      body.endColumn();
    }
    return frame(encodeRecordBatch(body.layout(this.#rows)), body);
  }

  /** Forget all rows and keep their memory. */
  reset(): void {
    this.#rows = 0;
    for (const buffer of this.#buffers.values()) buffer.reset?.();
  }
}

const makeInt32 = (length: number): Int32Array => new Int32Array(length);
const makeFloat32 = (length: number): Float32Array => new Float32Array(length);
const makeFloat64 = (length: number): Float64Array => new Float64Array(length);

const makers: {
  readonly [K in ColumnKind]: (column: ResolvedColumn) => ColumnBuffer<ColumnFills[K]>;
} = {
  int32: (column) => new NumberBuffer(column, makeInt32),
  float64: (column) => new NumberBuffer(column, makeFloat64),
  float32: (column) => new NumberBuffer(column, makeFloat32),
  bool: (column) => new BoolBuffer(column),
  utf8: (column) => new TextBuffer(column),
  dictionary: (column) => new DictionaryBuffer(column),
  'fixed-list-float32': (column) => new FixedListBuffer(column),
  'list-float32': (column) =>
    new ListBuffer(column, (array, from, to) => array.subarray(from, to), makeFloat32),
  'list-int32': (column) => new ListBuffer(column, (array, from, to) => array.subarray(from, to), makeInt32),
  'list-float64': (column) =>
    new ListBuffer(column, (array, from, to) => array.subarray(from, to), makeFloat64),
};
