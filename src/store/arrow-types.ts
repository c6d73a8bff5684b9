/**
 * The one module that touches apache-arrow. The library's typed entry points build batches from vectors and hand
 * them to a queue of its own; the store needs the layer below (messages, blocks, footer), which the package exports
 * without public types for the headers. What is cast or assumed about that layer stays here.
 */
import {
  Bool,
  DataType,
  Dictionary,
  Field,
  FixedSizeList,
  Float32,
  Float64,
  Int32,
  List,
  Message,
  MetadataVersion,
  Precision,
  Schema,
  Utf8,
} from 'apache-arrow';
import { FileBlock, Footer } from 'apache-arrow/ipc/metadata/file';
import { BufferRegion, DictionaryBatch, FieldNode, RecordBatch } from 'apache-arrow/ipc/metadata/message';
import type { ColumnKind, ResolvedColumn } from './columns.js';

/** Rows, field nodes and buffer regions of a batch, and the length of its body in bytes. */
export interface BatchLayout {
  readonly rows: number;
  readonly nodes: readonly { readonly length: number; readonly nullCount: number }[];
  readonly regions: readonly { readonly offset: number; readonly length: number }[];
  readonly bodyLength: number;
}

/** Where a message lies in a file; `metadataLength` counts the 8 bytes of its prefix too. */
export interface Block {
  readonly offset: number;
  readonly metadataLength: number;
  readonly bodyLength: number;
}

/** A column of a file: as the registry knows it, with its dictionary's id (-1 for other kinds). */
export interface FileColumn extends ResolvedColumn {
  readonly dictionaryId: number;
  /** Filled as dictionary messages are read. */
  readonly values: string[];
}

/** The Arrow schema of the columns; the number of a column is the id of its dictionary. */
export function makeArrowSchema(columns: readonly ResolvedColumn[], metadata: Map<string, string>): Schema {
  const fields = columns.map((column, id) => {
    const notes = new Map([['description', column.description]]);
    if (column.unit !== '') notes.set('unit', column.unit);
    return new Field<DataType>(column.name, arrowTypes[column.kind](column, id), column.nullable, notes);
  });
  return new Schema(fields, metadata);
}

const arrowTypes: Readonly<Record<ColumnKind, (column: ResolvedColumn, id: number) => DataType>> = {
  int32: () => new Int32(),
  float64: () => new Float64(),
  float32: () => new Float32(),
  bool: () => new Bool(),
  utf8: () => new Utf8(),
  dictionary: (_, id) => new Dictionary(new Utf8(), new Int32(), id, false),
  'fixed-list-float32': ({ size }) => new FixedSizeList(size, item(new Float32())),
  'list-float32': () => new List(item(new Float32())),
  'list-int32': () => new List(item(new Int32())),
  'list-float64': () => new List(item(new Float64())),
};

function item<T extends DataType>(type: T): Field<T> {
  return new Field('item', type, false);
}

/** The columns of a schema. `unsupported` names fields of types that the store does not read, with the type. */
export function columnsOf(schema: Schema): { columns: FileColumn[]; unsupported: string[] } {
  const columns: FileColumn[] = [];
  const unsupported: string[] = [];
  for (const field of schema.fields) {
    const type: DataType = field.type;
    const kind = kindOf(type);
    if (kind === null) {
      unsupported.push(`${field}`);
      continue;
    }
    columns.push({
      name: field.name,
      kind,
      nullable: field.nullable,
      unit: field.metadata.get('unit') ?? '',
      description: field.metadata.get('description') ?? '',
      values: [],
      size: DataType.isFixedSizeList(type) ? type.listSize : 0,
      dictionaryId: DataType.isDictionary(type) ? type.id : -1,
    });
  }
  return { columns, unsupported };
}

function kindOf(type: DataType): ColumnKind | null {
  if (DataType.isDictionary(type)) {
    return DataType.isUtf8(type.dictionary) && isInt32(type.indices) ? 'dictionary' : null;
  }
  if (DataType.isFixedSizeList(type)) {
    return numberKind(type.valueType) === 'float32' ? 'fixed-list-float32' : null;
  }
  if (DataType.isList(type)) {
    const items = numberKind(type.valueType);
    return items === null ? null : `list-${items}`;
  }
  if (DataType.isBool(type)) return 'bool';
  if (DataType.isUtf8(type)) return 'utf8';
  return numberKind(type);
}

function numberKind(type: DataType): 'int32' | 'float32' | 'float64' | null {
  if (isInt32(type)) return 'int32';
  if (!DataType.isFloat(type)) return null;
  if (type.precision === Precision.SINGLE) return 'float32';
  return type.precision === Precision.DOUBLE ? 'float64' : null;
}

function isInt32(type: DataType): boolean {
  return DataType.isInt(type) && type.bitWidth === 32 && type.isSigned;
}

/** Flatbuffer of a schema message, without its prefix. */
export function encodeSchema(schema: Schema): Uint8Array {
  return Message.encode(Message.from(schema));
}

/** Flatbuffer of a record batch message, without its prefix. */
export function encodeRecordBatch(layout: BatchLayout): Uint8Array {
  return Message.encode(Message.from(batchHeader(layout), layout.bodyLength));
}

/** Flatbuffer of the message that gives a dictionary all its values, without its prefix. */
export function encodeDictionaryBatch(id: number, layout: BatchLayout): Uint8Array {
  return Message.encode(Message.from(new DictionaryBatch(batchHeader(layout), id), layout.bodyLength));
}

function batchHeader({ rows, nodes, regions }: BatchLayout): RecordBatch {
  return new RecordBatch(
    rows,
    nodes.map(({ length, nullCount }) => new FieldNode(length, nullCount)),
    regions.map(({ offset, length }) => new BufferRegion(offset, length)),
    null,
  );
}

/** The schema in the flatbuffer of a schema message. Throws an Error of any kind when the bytes hold none. */
export function decodeSchema(flatbuffer: Uint8Array): Schema {
  const message = Message.decode(flatbuffer);
  if (!message.isSchema()) throw new Error('the first message is no schema');
  return message.header();
}

/** Flatbuffer of a file's footer. */
export function encodeFooter(
  schema: Schema,
  dictionaries: readonly Block[],
  batches: readonly Block[],
): Uint8Array {
  const blocks = (list: readonly Block[]): FileBlock[] =>
    list.map(({ offset, metadataLength, bodyLength }) => new FileBlock(metadataLength, bodyLength, offset));
  return Footer.encode(new Footer(schema, MetadataVersion.V5, blocks(batches), blocks(dictionaries)));
}

/** Schema and blocks of a file's footer. Throws an Error of any kind when the bytes are no footer. */
export function decodeFooter(flatbuffer: Uint8Array): {
  schema: Schema;
  dictionaries: Block[];
  batches: Block[];
} {
  const footer = Footer.decode(flatbuffer);
  const blocks = (list: Iterable<FileBlock>): Block[] =>
    Array.from(list, ({ offset, metaDataLength, bodyLength }) => ({
      offset,
      metadataLength: metaDataLength,
      bodyLength,
    }));
  return {
    schema: footer.schema,
    dictionaries: blocks(footer.dictionaryBatches()),
    batches: blocks(footer.recordBatches()),
  };
}
