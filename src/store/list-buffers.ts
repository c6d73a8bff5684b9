import { grown, kindError, valueError } from './column-buffers.js';
import type { ColumnBuffer, Place } from './column-buffers.js';
import type { ColumnView } from './column-views.js';
import type { ResolvedColumn } from './columns.js';
import type { MessageBody } from './message-body.js';

/** What the caller fills in a list column: one list a reserved row, in the order of the rows. */
export interface ListRows<A> {
  /** Append the next row's list; the values are copied. */
  push(values: A): void;
  /** Append a list of `length` values to be filled now, in the array that is returned. */
  extend(length: number): A;
}

/** Arrow's list offsets are int32. */
const maxListValues = 2 ** 31 - 1;

/** Lists of any length. The caller appends; {@link encode} checks that there is one list per row. */
export class ListBuffer<A extends Int32Array | Float64Array | Float32Array>
  implements ColumnBuffer<ListRows<A>>, ListRows<A>
{
  #values: A;
  #offsets: Int32Array;
  #lists = 0;

  constructor(
    private readonly column: ResolvedColumn,
    private readonly slice: (array: A, from: number, to: number) => A,
    private readonly allocate: (length: number) => A,
  ) {
    this.#values = allocate(0);
    this.#offsets = new Int32Array(1);
  }

  get view(): ListRows<A> {
    return this;
  }

  push(values: A): void {
    this.extend(values.length).set(values);
  }

  extend(length: number): A {
    const start = this.#end();
    if (start + length > maxListValues) {
      throw new Error(`column ${this.column.name}: more than ${maxListValues} values in a batch`);
    }
    this.#values = grown(this.#values, start + length, this.allocate);
    this.#offsets = grown(this.#offsets, this.#lists + 2, (size) => new Int32Array(size));
    this.#lists++;
    this.#offsets[this.#lists] = start + length;
    return this.slice(this.#values, start, start + length);
  }

  reserve(_from: number, to: number): void {
    this.#offsets = grown(this.#offsets, to + 1, (length) => new Int32Array(length));
  }

  byteLength(rows: number): number {
    return (rows + 1) * 4 + this.#end() * this.#values.BYTES_PER_ELEMENT;
  }

  encode(rows: number, body: MessageBody, place: Place): void {
    if (this.#lists !== rows) {
      const row = Math.min(this.#lists, rows);
      throw valueError(this.column, place, row, `${this.#lists} lists were appended for ${rows} rows`);
    }
    body.node(rows, 0);
    body.buffer(null);
    body.buffer(this.#offsets.subarray(0, rows + 1));
    body.node(this.#end(), 0);
    body.buffer(null);
    body.buffer(this.slice(this.#values, 0, this.#end()));
  }

  reset(): void {
    this.#lists = 0;
  }

  copy(view: ColumnView, at: number): void {
    if (view.kind !== this.column.kind || !('offsets' in view)) throw kindError(this.column, view);
    if (at !== this.#lists) throw new Error(`column ${this.column.name}: lists are appended in order`);
    const first = view.offsets[0] ?? 0;
    const last = view.offsets[view.length] ?? 0;
    const shift = this.#end() - first;
    this.extend(last - first).set(view.values.subarray(first, last));
    this.reserve(at, at + view.length);
    for (let row = 1; row <= view.length; row++) {
      this.#offsets[at + row] = (view.offsets[row] ?? 0) + shift;
    }
    this.#lists = at + view.length;
  }

  #end(): number {
    return this.#offsets[this.#lists] ?? 0;
  }
}

/** `column.size` float32 a row; row i starts at `i * size` of the view. */
export class FixedListBuffer implements ColumnBuffer<Float32Array> {
  view: Float32Array;

  constructor(private readonly column: ResolvedColumn) {
    this.view = new Float32Array();
  }

  reserve(from: number, to: number): void {
    const { size } = this.column;
    this.view = grown(this.view, to * size, (length) => new Float32Array(length));
    this.view.fill(Number.NaN, from * size, to * size);
  }

  byteLength(rows: number): number {
    return rows * this.column.size * 4;
  }

  encode(rows: number, body: MessageBody): void {
    const values = rows * this.column.size;
    body.node(rows, 0);
    body.buffer(null);
    body.node(values, 0);
    body.buffer(null);
    body.buffer(this.view.subarray(0, values));
  }

  copy(view: ColumnView, at: number): void {
    if (view.kind !== 'fixed-list-float32') throw kindError(this.column, view);
    this.view.set(view.values, at * this.column.size);
  }
}

/** Free text: the caller assigns a string to each reserved row. */
export class TextBuffer implements ColumnBuffer<string[]> {
  readonly view: string[] = [];

  constructor(private readonly column: ResolvedColumn) {}

  reserve(from: number, to: number): void {
    // Holes, so that a row that was not set is told from an empty text.
    this.view.length = from;
    this.view.length = to;
  }

  byteLength(rows: number): number {
    return this.view.reduce((sum, text) => sum + text.length, (rows + 1) * 4);
  }

  encode(rows: number, body: MessageBody, place: Place): void {
    for (let row = 0; row < rows; row++) {
      if (this.view[row] === undefined) throw valueError(this.column, place, row, 'the text was not set');
    }
    encodeTexts(this.view.slice(0, rows), body);
  }

  reset(): void {
    this.view.length = 0;
  }

  copy(view: ColumnView, at: number): void {
    if (view.kind !== 'utf8') throw kindError(this.column, view);
    for (const [i, text] of view.values.entries()) this.view[at + i] = text;
  }
}

/** Append strings without nulls to a batch: offsets and UTF-8 bytes. Lone surrogates become U+FFFD. */
export function encodeTexts(texts: readonly string[], body: MessageBody): void {
  const encoder = new TextEncoder();
  const pieces = texts.map((text) => encoder.encode(text));
  const offsets = new Int32Array(texts.length + 1);
  let end = 0;
  for (const [i, piece] of pieces.entries()) offsets[i + 1] = end += piece.length;
  const bytes = new Uint8Array(end);
  for (const [i, piece] of pieces.entries()) bytes.set(piece, offsets[i]);
  body.node(texts.length, 0);
  body.buffer(null);
  body.buffer(offsets);
  body.buffer(bytes);
}
