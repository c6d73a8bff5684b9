import type { Block } from './arrow-types.js';
import type { ColumnKind, ResolvedColumn } from './columns.js';
import { FlatTable } from './flatbuffer.js';

/** A column of a file. Its dictionary is filled as dictionary messages are read. */
export interface FileColumn extends ResolvedColumn {
  readonly values: string[];
}

/** What a schema says of a table. */
export interface ParsedSchema {
  readonly columns: readonly FileColumn[];
  readonly metadata: ReadonlyMap<string, string>;
  /** Columns of types that the store does not read, each with its type. */
  readonly unsupported: readonly string[];
}

/** What a file's footer says. */
export interface ParsedFooter {
  readonly schema: ParsedSchema;
  readonly dictionaries: readonly Block[];
  readonly batches: readonly Block[];
}

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
  if (table.int16(schema.endianness) !== 0) throw new RangeError('written on a big-endian machine');
  const columns: FileColumn[] = [];
  const unsupported: string[] = [];
  for (const each of table.tables(schema.fields)) {
    const column = columnOf(each);
    if (column === null) unsupported.push(`${each.text(field.name)} (${typeName(each)}${bitsOf(each)})`);
    else columns.push(column);
  }
  return { columns, metadata: metadataOf(table, schema.metadata), unsupported };
}

/** Read the flatbuffer of a file's footer. Throws a RangeError when the bytes hold none. */
export function parseFooter(flatbuffer: Uint8Array): ParsedFooter {
  const table = FlatTable.root(flatbuffer);
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
  };
}

function columnOf(table: FlatTable): FileColumn | null {
  const kind = kindOf(table);
  if (kind === null) return null;
  const notes = metadataOf(table, field.metadata);
  return {
    name: table.text(field.name),
    kind,
    nullable: table.uint8(field.nullable) !== 0,
    unit: notes.get('unit') ?? '',
    description: notes.get('description') ?? '',
    values: [],
    size: kind === 'fixed-list-float32' ? (table.table(field.type)?.int32(0) ?? 0) : 0,
    dictionaryId: kind === 'dictionary' ? (table.table(field.dictionary)?.length(dictionary.id) ?? 0) : -1,
  };
}

function kindOf(table: FlatTable): ColumnKind | null {
  const type = typeName(table);
  const encoding = table.table(field.dictionary);
  if (encoding !== null) {
    const index = encoding.table(dictionary.indexType);
    // Format fact: an index type that is left out is int32.
    return type === 'Utf8' && (index === null || isInt32(index)) ? 'dictionary' : null;
  }
  const [child] = table.tables(field.children);
  const item = child === undefined ? null : numberKind(child);
  if (type === 'FixedSizeList') return item === 'float32' ? 'fixed-list-float32' : null;
  if (type === 'List') return item === null ? null : `list-${item}`;
  if (type === 'Bool') return 'bool';
  return type === 'Utf8' ? 'utf8' : numberKind(table);
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
