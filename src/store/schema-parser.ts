import type { Block } from './arrow-types.js';
import { checksumsIn } from './checksums.js';
import type { ColumnKind, ResolvedColumn } from './columns.js';
import { FlatTable } from './flatbuffer.js';
import { ForeignFormatError } from './foreign-format.js';

/** A column of a file. Its dictionary is filled as dictionary messages are read. */
export interface FileColumn extends ResolvedColumn {
  readonly values: string[];
  readonly encoding: Encoding;
}

/** How other programs may store a column of the same kind; gradscope itself writes {@link ownEncoding}. */
export interface Encoding {
  /** Bytes of a dictionary's indices, and whether they are signed. */
  readonly indexBytes: 1 | 2 | 4 | 8;
  readonly indexSigned: boolean;
  /** Whether the offsets of texts are int64 (`LargeUtf8`). */
  readonly large: boolean;
}

export const ownEncoding: Encoding = { indexBytes: 4, indexSigned: true, large: false };

/** Where a column's parts stand in a batch: its field nodes and buffers, those of its children included. */
export interface ColumnLayout {
  readonly name: string;
  /** The type, for people: `Timestamp`. */
  readonly type: string;
  /** Null for a type that the store does not read: the column is passed over. */
  readonly column: FileColumn | null;
  readonly nodes: number;
  readonly regions: number;
  /** How many of its fields are of a view type, each of which has further buffers that the batch counts. */
  readonly views: number;
}

/** What a schema says of a table. */
export interface ParsedSchema {
  readonly layout: readonly ColumnLayout[];
  readonly metadata: ReadonlyMap<string, string>;
}

/** What a file's footer says. */
export interface ParsedFooter {
  readonly schema: ParsedSchema;
  readonly dictionaries: readonly Block[];
  readonly batches: readonly Block[];
  readonly checked: CheckedMessages;
}

/**
 * Which messages of a table have checksums: `all` and `none` make any other one a damaged one, `some` are those of a run
 * that an earlier version began.
 */
export type CheckedMessages = 'all' | 'some' | 'none';

/** Slots of the tables in Schema.fbs and File.fbs. */
const footer = { schema: 1, dictionaries: 2, batches: 3 } as const;
const schema = { endianness: 0, fields: 1, metadata: 2 } as const;
const field = { name: 0, nullable: 1, typeId: 2, type: 3, dictionary: 4, children: 5, metadata: 6 } as const;
const dictionary = { id: 0, indexType: 1 } as const;
const keyValue = { key: 0, value: 1 } as const;
const int = { bitWidth: 0, isSigned: 1 } as const;

// Format fact: numbers of the union Type in Schema.fbs. The first slot of each type's table is its size.
const typeNames = [
  'None Null Int FloatingPoint Binary Utf8 Bool Decimal Date Time Timestamp Interval List Struct Union',
  'FixedSizeBinary FixedSizeList Map Duration LargeBinary LargeUtf8 LargeList RunEndEncoded BinaryView',
  'Utf8View ListView LargeListView',
]
  .join(' ')
  .split(' ');
const precisions = [null, 'float32', 'float64'] as const;

/** Read the table of a schema. Throws a RangeError when the bytes hold none. */
export function parseSchema(table: FlatTable): ParsedSchema {
  if (table.int16(schema.endianness) !== 0) throw new ForeignFormatError('written on a big-endian machine');
  const layout = table.tables(schema.fields).map((each) => ({
    name: each.text(field.name),
    type: `${typeName(each)}${bitsOf(each)}`,
    column: columnOf(each),
    ...extentOf(each),
  }));
  return { layout, metadata: metadataOf(table, schema.metadata) };
}

/**
 * Read a file's footer. Throws a RangeError when the bytes hold none, and when its checksum does not fit.
 */
export function parseFooter(bytes: Uint8Array): ParsedFooter {
  const unchecked = checksumsIn(bytes)?.[0];
  const table = FlatTable.root(bytes);
  const schemaTable = table.table(footer.schema);
  if (schemaTable === null) throw new RangeError('a footer without schema');
  const blocks = (slot: number): Block[] =>
    // Format fact: struct Block is int64 offset, int32 metaDataLength, 4 bytes of padding, int64 bodyLength.
    table.structs(slot, 24, (long, int32) => ({
      offset: long(0),
      metadataLength: int32(8),
      bodyLength: long(16),
    }));
  return {
    schema: parseSchema(schemaTable),
    dictionaries: blocks(footer.dictionaries),
    batches: blocks(footer.batches),
    // A footer that lost its own checksum is told by messages that still have theirs.
    checked: unchecked === undefined ? 'none' : unchecked === 0 ? 'all' : 'some',
  };
}

function columnOf(table: FlatTable): FileColumn | null {
  const kind = kindOf(table);
  if (kind === null) return null;
  const notes = metadataOf(table, field.metadata);
  const dictionaryEncoding = table.table(field.dictionary);
  return {
    name: table.text(field.name),
    kind,
    nullable: table.uint8(field.nullable) !== 0,
    unit: notes.get('unit') ?? '',
    description: notes.get('description') ?? '',
    values: [],
    grows: false,
    size: kind === 'fixed-list-float32' ? (table.table(field.type)?.int32(0) ?? 0) : 0,
    dictionaryId: dictionaryEncoding === null ? -1 : dictionaryEncoding.length(dictionary.id),
    encoding: {
      ...(dictionaryEncoding === null ? ownEncoding : (indexType(dictionaryEncoding) ?? ownEncoding)),
      large: typeName(table) === 'LargeUtf8',
    },
  };
}

function kindOf(table: FlatTable): ColumnKind | null {
  const type = typeName(table);
  const isText = type === 'Utf8' || type === 'LargeUtf8';
  const encoding = table.table(field.dictionary);
  if (encoding !== null) return isText && indexType(encoding) !== null ? 'dictionary' : null;
  const [child] = table.tables(field.children);
  const item = child === undefined ? null : numberKind(child);
  if (type === 'FixedSizeList') return item === 'float32' ? 'fixed-list-float32' : null;
  if (type === 'List') return item === null ? null : `list-${item}`;
  if (type === 'Bool') return 'bool';
  return isText ? 'utf8' : numberKind(table);
}

/** Format fact: an index type that is left out is int32. Null for one that is none of the eight integers. */
function indexType(encoding: FlatTable): Pick<Encoding, 'indexBytes' | 'indexSigned'> | null {
  const type = encoding.table(dictionary.indexType);
  if (type === null) return ownEncoding;
  const indexBytes = indexWidths.find((bytes) => 8 * bytes === type.int32(int.bitWidth));
  return indexBytes === undefined ? null : { indexBytes, indexSigned: type.uint8(int.isSigned) !== 0 };
}

const indexWidths = [1, 2, 4, 8] as const;

/**
 * Format fact: buffers of each type (Columnar.rst, Buffer Listing for Each Layout); 2 for what is not named here. Two
 * of a union are those of a dense one, whose mode stands first in its table.
 */
const bufferCounts: Readonly<Record<string, number>> = {
  Null: 0,
  Struct: 1,
  FixedSizeList: 1,
  RunEndEncoded: 0,
  Binary: 3,
  Utf8: 3,
  LargeBinary: 3,
  LargeUtf8: 3,
  ListView: 3,
  LargeListView: 3,
};

type Extent = Pick<ColumnLayout, 'nodes' | 'regions' | 'views'>;

/** More fields within a column are no table but an attack on the reader's time. */
const maxFields = 4096;

function extentOf(table: FlatTable, budget = { left: maxFields }): Extent {
  if (budget.left-- <= 0) throw new RangeError(`a column of more than ${maxFields} fields`);
  if (table.has(field.dictionary)) return { nodes: 1, regions: 2, views: 0 };
  const type = typeName(table);
  const isSparse = type === 'Union' && (table.table(field.type)?.int16(0) ?? 0) === 0;
  const extent = {
    nodes: 1,
    regions: isSparse ? 1 : (bufferCounts[type] ?? 2),
    views: type === 'BinaryView' || type === 'Utf8View' ? 1 : 0,
  };
  for (const child of table.tables(field.children)) {
    const { nodes, regions, views } = extentOf(child, budget);
    extent.nodes += nodes;
    extent.regions += regions;
    extent.views += views;
  }
  return extent;
}

function numberKind(table: FlatTable): 'int32' | 'float32' | 'float64' | null {
  const type = table.table(field.type);
  if (type === null || table.has(field.dictionary)) return null;
  if (typeName(table) === 'Int') return isInt32(type) ? 'int32' : null;
  return typeName(table) === 'FloatingPoint' ? (precisions[type.int16(0)] ?? null) : null;
}

function isInt32(table: FlatTable): boolean {
  return table.int32(int.bitWidth) === 32 && table.uint8(int.isSigned) !== 0;
}

function bitsOf(table: FlatTable): string {
  return typeName(table) === 'Int' ? String(table.table(field.type)?.int32(int.bitWidth)) : '';
}

function typeName(table: FlatTable): string {
  const id = table.uint8(field.typeId);
  return typeNames[id] ?? `type ${id}`;
}

function metadataOf(table: FlatTable, slot: number): Map<string, string> {
  return new Map(table.tables(slot).map((pair) => [pair.text(keyValue.key), pair.text(keyValue.value)]));
}
