import { ColumnSet } from './column-views.js';
import type { ColumnView } from './column-views.js';
import type { ColumnKind } from './columns.js';
import type { FileColumn } from './schema-parser.js';
import type { TableReader } from './table-reader.js';

/** Gathers one column over several batches into memory of its own. */
interface Collector {
  /** Take in the rows of a batch, which come at row `at`. */
  add(view: ColumnView, at: number): void;
  finish(valid: Uint8Array | null): ColumnView;
}

/** Batches `from` up to, not including, `to`. */
export interface BatchRange {
  readonly from?: number;
  readonly to?: number;
}

/**
 * Read the named columns of a table, all batches or a range of them, each as one array. Takes the memory of the
 * result (of list columns twice) and of one batch. Throws a UserError for a column that is not there and for a damaged batch, a RangeError
 * for more than 2^31 - 1 list values.
 */
export async function readColumns(
  table: TableReader,
  names: readonly string[],
  range: BatchRange = {},
): Promise<ColumnSet> {
  const blocks = table.batches.slice(range.from ?? 0, range.to);
  const rows = blocks.reduce((sum, block) => sum + block.rows, 0);
  const wanted = table.columns.filter((column) => names.includes(column.name));
  const parts = wanted.map((column) => new Column(column, rows));
  let at = 0;
  for (const i of blocks.keys()) {
    const batch = await table.readBatch((range.from ?? 0) + i, names);
    for (const part of parts) part.add(batch.view(part.column.name), at);
    at += batch.rows;
    // Small batches are read without waiting, so that nothing else would run for as long as this takes.
    if (i % 64 === 63) await new Promise((resolve) => setImmediate(resolve));
  }
  const set = new ColumnSet(
    table.path,
    rows,
    new Map(parts.map((part) => [part.column.name, part.finish()])),
  );
  for (const name of names) set.view(name);
  return set;
}

class Column {
  #valid: Uint8Array | null = null;
  readonly #collector: Collector;

  constructor(
    readonly column: FileColumn,
    private readonly rows: number,
  ) {
    this.#collector = collectors[column.kind](column, rows);
  }

  add(view: ColumnView, at: number): void {
    this.#collector.add(view, at);
    if (view.valid === null) return;
    this.#valid ??= new Uint8Array(this.rows).fill(1);
    this.#valid.set(view.valid, at);
  }

  finish(): ColumnView {
    return this.#collector.finish(this.#valid);
  }
}

const collectors: Readonly<Record<ColumnKind, (column: FileColumn, rows: number) => Collector>> = {
  int32: (_, rows) => {
    const values = new Int32Array(rows);
    return {
      add: (view, at) => view.kind === 'int32' && values.set(view.values, at),
      finish: (valid) => ({ kind: 'int32', length: rows, valid, values }),
    };
  },
  float64: (_, rows) => {
    const values = new Float64Array(rows);
    return {
      add: (view, at) => view.kind === 'float64' && values.set(view.values, at),
      finish: (valid) => ({ kind: 'float64', length: rows, valid, values }),
    };
  },
  float32: (_, rows) => {
    const values = new Float32Array(rows);
    return {
      add: (view, at) => view.kind === 'float32' && values.set(view.values, at),
      finish: (valid) => ({ kind: 'float32', length: rows, valid, values }),
    };
  },
  bool: (_, rows) => {
    const values = new Uint8Array(rows);
    return {
      add: (view, at) => view.kind === 'bool' && values.set(view.values, at),
      finish: (valid) => ({ kind: 'bool', length: rows, valid, values }),
    };
  },
  utf8: (_, rows) => {
    const values: string[] = [];
    return {
      add: (view) => view.kind === 'utf8' && view.values.forEach((text) => values.push(text)),
      finish: (valid) => ({ kind: 'utf8', length: rows, valid, values }),
    };
  },
  dictionary: ({ values }, rows) => {
    const indices = new Int32Array(rows);
    return {
      add: (view, at) => view.kind === 'dictionary' && indices.set(view.indices, at),
      finish: (valid) => ({ kind: 'dictionary', length: rows, valid, indices, values }),
    };
  },
  'fixed-list-float32': ({ size }, rows) => {
    const values = new Float32Array(rows * size);
    return {
      add: (view, at) => view.kind === 'fixed-list-float32' && values.set(view.values, at * size),
      finish: (valid) => ({ kind: 'fixed-list-float32', length: rows, valid, size, values }),
    };
  },
  'list-float32': (_, rows) => {
    const lists = new Lists(rows);
    return {
      add: (view, at) => view.kind === 'list-float32' && lists.add(view.offsets, view.values, at),
      finish: (valid) => ({
        kind: 'list-float32',
        length: rows,
        valid,
        offsets: lists.offsets,
        values: lists.into(new Float32Array(lists.length)),
      }),
    };
  },
  'list-int32': (_, rows) => {
    const lists = new Lists(rows);
    return {
      add: (view, at) => view.kind === 'list-int32' && lists.add(view.offsets, view.values, at),
      finish: (valid) => ({
        kind: 'list-int32',
        length: rows,
        valid,
        offsets: lists.offsets,
        values: lists.into(new Int32Array(lists.length)),
      }),
    };
  },
  'list-float64': (_, rows) => {
    const lists = new Lists(rows);
    return {
      add: (view, at) => view.kind === 'list-float64' && lists.add(view.offsets, view.values, at),
      finish: (valid) => ({
        kind: 'list-float64',
        length: rows,
        valid,
        offsets: lists.offsets,
        values: lists.into(new Float64Array(lists.length)),
      }),
    };
  },
};

/** Lists of several batches: their values in pieces until all are there. */
class Lists {
  readonly offsets: Int32Array;
  readonly #pieces: (Float32Array | Float64Array | Int32Array)[] = [];
  length = 0;

  constructor(rows: number) {
    this.offsets = new Int32Array(rows + 1);
  }

  add(offsets: Int32Array, values: Float32Array | Float64Array | Int32Array, at: number): void {
    const first = offsets[0] ?? 0;
    const last = offsets.at(-1) ?? 0;
    if (this.length + last - first > 2 ** 31 - 1) {
      throw new RangeError('more than 2^31 - 1 list values; read fewer batches at once');
    }
    for (let i = 1; i < offsets.length; i++) this.offsets[at + i] = (offsets[i] ?? 0) - first + this.length;
    // A copy, so that the batch it lies in can go.
    this.#pieces.push(values.slice(first, last));
    this.length += last - first;
  }

  into<A extends Float32Array | Float64Array | Int32Array>(values: A): A {
    let end = 0;
    for (const piece of this.#pieces) {
      values.set(piece, end);
      end += piece.length;
    }
    return values;
  }
}
