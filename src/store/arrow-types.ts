/**
 * The one module that calls apache-arrow. The library's entry points build batches of vectors and put them into a
 * queue of their own; the store needs the layer below (messages, blocks, footer), which the package exports but does
 * not document. What is assumed about that layer stays here. Only writing needs it: tables are read without it.
 */
import {
  Bool,
  Dictionary,
  Field,
  FixedSizeList,
  Float32,
  Float64,
  Int32,
  List,
  Message,
  MetadataVersion,
  Schema,
  Utf8,
} from 'apache-arrow';
import type { DataType } from 'apache-arrow';
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

/** The Arrow schema of the columns. */
export function makeArrowSchema(
  columns: readonly ResolvedColumn[],
  metadata: ReadonlyMap<string, string>,
): Schema {
  const fields = columns.map((column) => {
    const notes = new Map([['description', column.description]]);
    if (column.unit !== '') notes.set('unit', column.unit);
    return new Field<DataType>(column.name, arrowTypes[column.kind](column), column.nullable, notes);
  });
  return new Schema(fields, new Map(metadata));
}

const arrowTypes: Readonly<Record<ColumnKind, (column: ResolvedColumn) => DataType>> = {
  int32: () => new Int32(),
  float64: () => new Float64(),
  float32: () => new Float32(),
  bool: () => new Bool(),
  utf8: () => new Utf8(),
  dictionary: ({ dictionaryId }) => new Dictionary(new Utf8(), new Int32(), dictionaryId, false),
  'fixed-list-float32': ({ size }) => new FixedSizeList(size, item(new Float32())),
  'list-float32': () => new List(item(new Float32())),
  'list-int32': () => new List(item(new Int32())),
  'list-float64': () => new List(item(new Float64())),
};

function item<T extends DataType>(type: T): Field<T> {
  return new Field('item', type, false);
}

/** Flatbuffer of a schema message, without its prefix. */
export function encodeSchema(schema: Schema): Uint8Array {
  return Message.encode(Message.from(schema));
}

/** Flatbuffer of a record batch message, without its prefix. */
export function encodeRecordBatch(layout: BatchLayout): Uint8Array {
  return Message.encode(Message.from(batchHeader(layout), layout.bodyLength));
}

/** Flatbuffer of the message that gives a dictionary its values, or further ones, without its prefix. */
export function encodeDictionaryBatch(id: number, layout: BatchLayout, isDelta: boolean): Uint8Array {
  return Message.encode(
    Message.from(new DictionaryBatch(batchHeader(layout), id, isDelta), layout.bodyLength),
  );
}

function batchHeader({ rows, nodes, regions }: BatchLayout): RecordBatch {
  return new RecordBatch(
    rows,
    nodes.map(({ length, nullCount }) => new FieldNode(length, nullCount)),
    regions.map(({ offset, length }) => new BufferRegion(offset, length)),
    null,
  );
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
