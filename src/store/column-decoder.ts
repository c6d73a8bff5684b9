import { bytesOf } from './bitmap.js';
import { missingInt32 } from './column-views.js';
import type { ColumnView, ColumnViews } from './column-views.js';
import type { ColumnKind } from './columns.js';
import { ForeignFormatError } from './foreign-format.js';
import type { ParsedBatch } from './message-parser.js';
import { PartMemory } from './part-memory.js';
import type { ColumnPart } from './part-memory.js';
import { ownEncoding } from './schema-parser.js';
import type { ColumnLayout, Encoding, FileColumn } from './schema-parser.js';

/**
 * Bits that a row takes at least in a column of each kind, so that a row count can be checked before anything of its
 * length is made.
 */
const leastBits: Readonly<Record<ColumnKind, number>> = {
  int32: 32,
  float64: 64,
  float32: 32,
  bool: 1,
  utf8: 32,
  dictionary: 8,
  'fixed-list-float32': 32,
  'list-float32': 32,
  'list-int32': 32,
  'list-float64': 32,
};

/** Why a batch cannot have that many rows; null where it can. */
export function impossibleRows(
  layout: readonly ColumnLayout[],
  { rows, bodyLength }: { readonly rows: number; readonly bodyLength: number },
): string | null {
  const bits = layout.reduce(
    (sum, { column }) => sum + (column === null ? 0 : leastBits[column.kind] * Math.max(1, column.size)),
    0,
  );
  return rows * bits > bodyLength * 8 ? `a batch of ${rows} rows in ${bodyLength} bytes` : null;
}

/**
 * Where each column that is read lies in a batch's body. Throws a RangeError when the batch does not have the buffers
 * that its schema asks for, or has them outside its body, and a {@link ForeignFormatError} for a compressed one.
 */
export function partsOf(layout: readonly ColumnLayout[], batch: ParsedBatch): ColumnPart[] {
  if (batch.compressed) {
    throw new ForeignFormatError('compressed; write it again without compression');
  }
  const impossible = impossibleRows(layout, batch);
  if (impossible !== null) throw new RangeError(impossible);
  const { checksums } = batch;
  if (checksums !== null && checksums.length !== layout.length) {
    throw new RangeError(`${checksums.length} checksums for ${layout.length} columns`);
  }
  const parts: ColumnPart[] = [];
  let node = 0;
  let region = 0;
  let view = 0;
  for (const [i, { name, column, ...extent }] of layout.entries()) {
    const nodes = batch.nodes.slice(node, (node += extent.nodes));
    const further = batch.viewBuffers
      .slice(view, (view += extent.views))
      .reduce((sum, count) => sum + count, 0);
    const regions = batch.regions.slice(region, (region += extent.regions + further));
    if (column === null) continue;
    const [own, child] = nodes;
    if (own === undefined || nodes.length < extent.nodes || regions.length < extent.regions) {
      throw new RangeError(`column ${name} is missing in a batch`);
    }
    if (own.length !== batch.rows) throw new RangeError(`column ${name} has ${own.length} rows`);
    const filled = regions.filter(({ length }) => length > 0);
    const start = filled.reduce((least, { offset }) => Math.min(least, offset), batch.bodyLength);
    const end = filled.reduce((most, { offset, length }) => Math.max(most, offset + length), start);
    if (end > batch.bodyLength) throw new RangeError(`column ${name} lies outside its batch`);
    parts.push({
      column,
      rows: own.length,
      nullCount: own.nullCount,
      childLength: child?.length ?? 0,
      regions,
      checksum: checksums?.[i] ?? null,
      start,
      end,
    });
  }
  return parts;
}

/**
 * The column in `bytes`, which are the body's from `part.start` on; views share their memory. Rows that are null read
 * as {@link missingInt32} or NaN. `firstRow` is the number of the first row, for messages. Throws a RangeError when a
 * buffer is too short for its rows, when its checksum does not fit, and for an index that is not in its dictionary.
 */
export function decodeColumn(part: ColumnPart, bytes: Uint8Array, firstRow = 0): ColumnView {
  const { column, rows } = part;
  const memory = new PartMemory(part, bytes);
  memory.requireChecksum();
  const valid = part.nullCount === 0 ? null : bytesOf(memory.bytes(0, Math.ceil(rows / 8)), rows);
  return decoders[column.kind]({ part, memory, length: rows, valid, firstRow });
}

interface Encoded {
  readonly part: ColumnPart;
  readonly memory: PartMemory;
  readonly length: number;
  readonly valid: Uint8Array | null;
  readonly firstRow: number;
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
  utf8: ({ part, memory, length, valid }) => ({
    kind: 'utf8',
    length,
    valid,
    values: texts(memory, length, part.column.encoding),
  }),
  dictionary: (encoded) => ({
    kind: 'dictionary',
    length: encoded.length,
    valid: null,
    indices: positions(encoded),
    values: encoded.part.column.values,
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

/** Positions in a dictionary, all of which are in it. */
function positions({ part: { column }, memory, length, valid, firstRow }: Encoded): Int32Array {
  if (valid?.includes(0) === true) {
    throw new RangeError(`column ${column.name}, row ${firstRow + valid.indexOf(0)}: no value`);
  }
  const indices = memory.integers(1, length, column.encoding);
  const size = column.values.length;
  for (let row = 0; row < length; row++) {
    const index = indices[row] ?? -1;
    if (index >= 0 && index < size) continue;
    throw new RangeError(
      `column ${column.name}, row ${firstRow + row}: index ${index} of a dictionary of ${size} values`,
    );
  }
  return indices;
}

/**
 * Strings of a dictionary message's body, whose offsets are int64 where `large`. Throws a RangeError when the bytes do
 * not hold them.
 */
export function decodeDictionary(batch: ParsedBatch, body: Uint8Array, large: boolean): readonly string[] {
  const column: FileColumn = {
    name: 'dictionary',
    kind: 'utf8',
    nullable: false,
    unit: '',
    description: '',
    values: [],
    grows: false,
    size: 0,
    dictionaryId: -1,
    encoding: { ...ownEncoding, large },
  };
  const layout = { name: column.name, type: 'Utf8', column, nodes: 1, regions: 3, views: 0 };
  const [part] = partsOf([layout], batch);
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

function texts(memory: PartMemory, rows: number, { large }: Encoding): string[] {
  const bytes = memory.bytes(2, memory.length(2));
  const offsets = memory.offsets(rows, bytes.length, large);
  const decoder = new TextDecoder();
  return Array.from({ length: rows }, (_, row) =>
    decoder.decode(bytes.subarray(offsets[row], offsets[row + 1])),
  );
}
