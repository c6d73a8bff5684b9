import type { ColumnView } from '../store/column-views.js';
import type { ExportedColumn, ExportedValues } from './exported-columns.js';

/** Numbers of the rows of a batch that are exported, in order; null: all of them. */
export type ChosenRows = Int32Array | null;

/** Gathers rows of one column, from batches of several runs, until they are written. */
export interface ExportBuffer {
  /** Takes in chosen rows of a column of a batch. */
  add(view: ColumnView, chosen: ChosenRows): void;
  /** Takes in `rows` rows that all hold the same, or nothing. */
  repeat(value: string | number | boolean | null, rows: number): void;
  /** What was gathered, which the next {@link add} may write over; the buffer is empty then. */
  take(): ExportedValues;
}

/** @param capacity rows that it holds without growing */
export function exportBuffer({ kind }: ExportedColumn, capacity: number): ExportBuffer {
  switch (kind) {
    case 'int32':
      return new NumberBuffer(
        new Int32Array(capacity),
        (size) => new Int32Array(size),
        (values, valid) => ({ kind, values, valid }),
      );
    case 'float64':
      return new NumberBuffer(
        new Float64Array(capacity),
        (size) => new Float64Array(size),
        (values, valid) => ({ kind, values, valid }),
      );
    case 'float32':
      return new NumberBuffer(
        new Float32Array(capacity),
        (size) => new Float32Array(size),
        (values, valid) => ({ kind, values, valid }),
      );
    case 'bool':
      return new NumberBuffer(
        new Uint8Array(capacity),
        (size) => new Uint8Array(size),
        (values, valid) => ({ kind, values, valid }),
      );
    case 'text':
      return new TextBuffer(capacity);
    case 'list':
      return new ListBuffer();
  }
}

interface NumberArray {
  readonly length: number;
  [index: number]: number;
  set(values: ArrayLike<number>, offset?: number): void;
  fill(value: number, start?: number, end?: number): unknown;
}

class NumberBuffer<
  A extends NumberArray & { subarray(from: number, to: number): A },
> implements ExportBuffer {
  #valid: Uint8Array | null = null;
  #rows = 0;

  constructor(
    private values: A,
    private readonly allocate: (size: number) => A,
    private readonly result: (values: A, valid: Uint8Array | null) => ExportedValues,
  ) {}

  add(view: ColumnView, chosen: ChosenRows): void {
    if (!('values' in view) || view.kind === 'utf8' || view.kind === 'dictionary') throw unlike(view);
    const { values, valid } = view;
    const at = this.#reserve(chosen?.length ?? view.length, valid !== null);
    if (chosen === null) this.values.set(values, at);
    else for (let i = 0; i < chosen.length; i++) this.values[at + i] = values[chosen[i]!]!;
    if (valid === null) return;
    if (chosen === null) this.#valid!.set(valid, at);
    else for (let i = 0; i < chosen.length; i++) this.#valid![at + i] = valid[chosen[i]!]!;
  }

  repeat(value: string | number | boolean | null, rows: number): void {
    const at = this.#reserve(rows, value === null);
    this.values.fill(Number(value ?? 0), at, at + rows);
    if (value === null) this.#valid!.fill(0, at, at + rows);
  }

  take(): ExportedValues {
    const rows = this.#rows;
    const valid = this.#valid?.subarray(0, rows) ?? null;
    this.#rows = 0;
    this.#valid = null;
    return this.result(this.values.subarray(0, rows), valid);
  }

  /** Makes room for rows, and gives the place of the first. */
  #reserve(rows: number, mayBeMissing: boolean): number {
    const at = this.#rows;
    this.#rows += rows;
    if (this.#rows > this.values.length) {
      const before = this.values.subarray(0, at);
      this.values = this.allocate(2 * this.#rows);
      this.values.set(before);
    }
    if (mayBeMissing) this.#valid ??= new Uint8Array(this.values.length).fill(1);
    if (this.#valid !== null && this.#valid.length < this.values.length) {
      const before = this.#valid;
      this.#valid = new Uint8Array(this.values.length).fill(1);
      this.#valid.set(before);
    }
    return at;
  }
}

/** Texts as numbers of words: most columns repeat few of them. */
class TextBuffer implements ExportBuffer {
  #codes: Int32Array;
  #rows = 0;
  #words: string[] = [];
  #codeOf = new Map<string, number>();
  /** Codes of the words of the last dictionary. */
  #translated: { readonly from: readonly string[]; readonly to: Int32Array } | null = null;

  constructor(capacity: number) {
    this.#codes = new Int32Array(capacity);
  }

  add(view: ColumnView, chosen: ChosenRows): void {
    const rows = chosen?.length ?? view.length;
    const at = this.#reserve(rows);
    const codes = this.#codes;
    const rowAt = (i: number): number => (chosen === null ? i : chosen[i]!);
    const { valid } = view;
    if (view.kind === 'dictionary') {
      const { indices } = view;
      const to = this.#translation(view.values);
      for (let i = 0; i < rows; i++) {
        const row = rowAt(i);
        codes[at + i] = valid !== null && valid[row] === 0 ? -1 : to[indices[row]!]!;
      }
    } else if (view.kind === 'utf8') {
      for (let i = 0; i < rows; i++) {
        const row = rowAt(i);
        codes[at + i] = valid !== null && valid[row] === 0 ? -1 : this.#code(view.values[row]!);
      }
    } else throw unlike(view);
  }

  repeat(value: string | number | boolean | null, rows: number): void {
    const at = this.#reserve(rows);
    this.#codes.fill(value === null ? -1 : this.#code(String(value)), at, at + rows);
  }

  take(): ExportedValues {
    const taken = { kind: 'text', codes: this.#codes.subarray(0, this.#rows), words: this.#words } as const;
    this.#rows = 0;
    this.#words = [];
    this.#codeOf = new Map();
    this.#translated = null;
    return taken;
  }

  #reserve(rows: number): number {
    const at = this.#rows;
    this.#rows += rows;
    if (this.#rows > this.#codes.length) {
      const before = this.#codes;
      this.#codes = new Int32Array(2 * this.#rows);
      this.#codes.set(before);
    }
    return at;
  }

  #code(word: string): number {
    const known = this.#codeOf.get(word);
    if (known !== undefined) return known;
    this.#codeOf.set(word, this.#words.length);
    return this.#words.push(word) - 1;
  }

  #translation(from: readonly string[]): Int32Array {
    if (this.#translated?.from !== from || this.#translated.to.length !== from.length)
      this.#translated = { from, to: Int32Array.from(from, (word) => this.#code(word)) };
    return this.#translated.to;
  }
}

class ListBuffer implements ExportBuffer {
  #lists: (ArrayLike<number> | null)[] = [];

  add(view: ColumnView, chosen: ChosenRows): void {
    const list = listAt(view);
    const rows = chosen?.length ?? view.length;
    for (let i = 0; i < rows; i++) {
      const row = chosen === null ? i : chosen[i]!;
      this.#lists.push(view.valid !== null && view.valid[row] === 0 ? null : list(row));
    }
  }

  repeat(_: string | number | boolean | null, rows: number): void {
    for (let i = 0; i < rows; i++) this.#lists.push(null);
  }

  take(): ExportedValues {
    const values = this.#lists;
    this.#lists = [];
    return { kind: 'list', values };
  }
}

/** Lists in memory of their own: that of a batch is to be freed. */
function listAt(view: ColumnView): (row: number) => ArrayLike<number> {
  if (view.kind === 'fixed-list-float32') {
    const { values, size } = view;
    return (row) => values.slice(row * size, (row + 1) * size);
  }
  if (!('offsets' in view)) throw unlike(view);
  const { values, offsets } = view;
  return (row) => values.slice(offsets[row], offsets[row + 1]);
}

const unlike = ({ kind }: ColumnView): Error => new Error(`a ${kind} column among others of its name`);
