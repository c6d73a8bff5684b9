import { bytesOf } from './bitmap.js';
import { missingInt32 } from './column-views.js';
import type { ColumnView, ColumnViews } from './column-views.js';
import type { ColumnKind } from './columns.js';
import type { ParsedBatch } from './message-parser.js';
import { PartMemory } from './part-memory.js';
import type { ColumnPart } from './part-memory.js';
import type { FileColumn } from './schema-parser.js';

/** Format fact: field nodes and buffers of each kind; a list has its own and its child's. */
const scalar = { nodes: 1, regions: 2 };
const list = { nodes: 2, regions: 4 };
const shapes: Readonly<Record<ColumnKind, { readonly nodes: number; readonly regions: number }>> = {
  int32: scalar,
  float64: scalar,
  float32: scalar,
  bool: scalar,
  utf8: { nodes: 1, regions: 3 },
  dictionary: scalar,
  'fixed-list-float32': { nodes: 2, regions: 3 },
  'list-float32': list,
  'list-int32': list,
  'list-float64': list,
};

/**
 * Where each column lies in a batch's body. Throws a RangeError when the batch does not have the buffers that its
 * schema asks for, or has them outside its body.
 */
export function partsOf(columns: readonly FileColumn[], batch: ParsedBatch): ColumnPart[] {
  if (batch.compressed) throw new RangeError('compressed batches are not read; write it uncompressed');
  let node = 0;
  let region = 0;
  return columns.map((column) => {
    const shape = shapes[column.kind];
    const nodes = batch.nodes.slice(node, (node += shape.nodes));
    const regions = batch.regions.slice(region, (region += shape.regions));
    const [own, child] = nodes;
    if (own === undefined || nodes.length < shape.nodes || regions.length < shape.regions) {
      throw new RangeError(`column ${column.name} is missing in a batch`);
    }
    if (own.length !== batch.rows) throw new RangeError(`column ${column.name} has ${own.length} rows`);
    const filled = regions.filter(({ length }) => length > 0);
    const start = filled.reduce((least, { offset }) => Math.min(least, offset), batch.bodyLength);
    const end = filled.reduce((most, { offset, length }) => Math.max(most, offset + length), start);
    if (end > batch.bodyLength) throw new RangeError(`column ${column.name} lies outside its batch`);
    const childLength = child?.length ?? 0;
    return { column, rows: own.length, nullCount: own.nullCount, childLength, regions, start, end };
  });
}

/**
 * The column in `bytes`, which are the body's from `part.start` on; views share their memory. Rows that are null read
 * as {@link missingInt32} or NaN. Throws a RangeError when a buffer is too short for its rows.
 */
export function decodeColumn(part: ColumnPart, bytes: Uint8Array): ColumnView {
  const { column, rows } = part;
  const memory = new PartMemory(part, bytes);
  const valid = part.nullCount === 0 ? null : bytesOf(memory.bytes(0, Math.ceil(rows / 8)), rows);
  return decoders[column.kind]({ part, memory, length: rows, valid });
}

interface Encoded {
  readonly part: ColumnPart;
  readonly memory: PartMemory;
  readonly length: number;
  readonly valid: Uint8Array | null;
}

const decoders: { readonly [K in ColumnKind]: (encoded: Encoded) => ColumnViews[K] } = {
  int32: ({ memory, length, valid }) => ({
    kind: 'int32',
    length,
    valid,
    values: marked(memory.int32(1, length), valid, missingInt32),
  }),
  float64: ({ memory, length, valid }) => ({
    kind: 'float64',
    length,
    valid,
    values: marked(memory.float64(1, length), valid, Number.NaN),
  }),
  float32: ({ memory, length, valid }) => ({
    kind: 'float32',
    length,
    valid,
    values: marked(memory.float32(1, length), valid, Number.NaN),
  }),
  bool: ({ memory, length, valid }) => ({
    kind: 'bool',
    length,
    valid,
    values: bytesOf(memory.bytes(1, Math.ceil(length / 8)), length),
  }),
  utf8: ({ memory, length, valid }) => ({ kind: 'utf8', length, valid, values: texts(memory, length) }),
  dictionary: ({ part, memory, length, valid }) => ({
    kind: 'dictionary',
    length,
    valid,
    indices: memory.int32(1, length),
    values: part.column.values,
  }),
  'fixed-list-float32': ({ part, memory, length, valid }) => ({
    kind: 'fixed-list-float32',
    length,
    valid,
    size: part.column.size,
    values: memory.float32(2, length * part.column.size),
  }),
  'list-float32': ({ part, memory, length, valid }) => ({
    kind: 'list-float32',
    length,
    valid,
    offsets: memory.offsets(length, part.childLength),
    values: memory.float32(3, part.childLength),
  }),
  'list-int32': ({ part, memory, length, valid }) => ({
    kind: 'list-int32',
    length,
    valid,
    offsets: memory.offsets(length, part.childLength),
    values: memory.int32(3, part.childLength),
  }),
  'list-float64': ({ part, memory, length, valid }) => ({
    kind: 'list-float64',
    length,
    valid,
    offsets: memory.offsets(length, part.childLength),
    values: memory.float64(3, part.childLength),
  }),
};

/** Strings of a dictionary message's body. Throws a RangeError when the bytes do not hold them. */
export function decodeDictionary(batch: ParsedBatch, body: Uint8Array): readonly string[] {
  const column: FileColumn = {
    name: 'dictionary',
    kind: 'utf8',
    nullable: false,
    unit: '',
    description: '',
    values: [],
    size: 0,
    dictionaryId: -1,
  };
  const [part] = partsOf([column], batch);
  const view = part && decodeColumn(part, body.subarray(part.start));
  return view?.kind === 'utf8' ? view.values : [];
}

function marked<A extends Int32Array | Float32Array | Float64Array>(
  values: A,
  valid: Uint8Array | null,
  missing: number,
): A {
  valid?.forEach((isValid, row) => {
    if (isValid === 0) values[row] = missing;
  });
  return values;
}

function texts(memory: PartMemory, rows: number): string[] {
  const bytes = memory.bytes(2, memory.length(2));
  const offsets = memory.offsets(rows, bytes.length);
  const decoder = new TextDecoder();
  return Array.from({ length: rows }, (_, row) =>
    decoder.decode(bytes.subarray(offsets[row], offsets[row + 1])),
  );
}
