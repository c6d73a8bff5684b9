import {
  Bool,
  Field,
  Float32,
  Float64,
  Int32,
  List,
  makeData,
  RecordBatch,
  RecordBatchFileWriter,
  Schema,
  Struct,
  Utf8,
  vectorFromArray,
  type Data,
  type DataType,
} from 'apache-arrow';
import { bitmapOf } from '../store/bitmap.js';
import type { ExportedColumn, ExportedValues } from './exported-columns.js';
import type { ExportFormat } from './table-sink.js';

/** Arrow IPC file, uncompressed, with the unit of each column in the metadata of its field. */
export const arrowFormat: ExportFormat = {
  ending: '.arrow',
  rowsAtOnce: 65_536,
  open: ({ name, columns, command }, sink) => {
    const schema = new Schema(
      columns.map(fieldOf),
      new Map([
        ['gradscope.exported', name],
        ['gradscope.command', command],
      ]),
    );
    const writer = new RecordBatchFileWriter();
    writer.reset(undefined, schema);
    // The writer gives its bytes to whoever waits for them.
    const drained = (async () => {
      for await (const bytes of writer) sink([bytes]);
    })();
    let failure: { readonly error: unknown } | null = null;
    drained.catch((error: unknown) => {
      failure = { error };
    });
    const settle = async (): Promise<void> => {
      await new Promise((resolve) => setImmediate(resolve));
      if (failure !== null) await drained;
    };
    return {
      write: async ({ rows, columns: values }) => {
        const children = columns.map((column, i) => dataOf(column, values[i]!));
        const data = makeData({ type: new Struct(schema.fields), length: rows, nullCount: 0, children });
        writer.write(new RecordBatch(schema, data));
        await settle();
      },
      finish: async () => {
        writer.finish();
        await drained;
      },
    };
  },
};

const elements = { int32: () => new Int32(), float64: () => new Float64(), float32: () => new Float32() };

function typeOf({ kind, element }: ExportedColumn): DataType {
  switch (kind) {
    case 'text':
      return new Utf8();
    case 'bool':
      return new Bool();
    case 'list':
      return new List(new Field('item', elements[element!]()));
    default:
      return elements[kind]();
  }
}

function fieldOf(column: ExportedColumn): Field {
  const { name, unit, description } = column;
  return new Field(
    name,
    typeOf(column),
    true,
    new Map([
      ['gradscope.unit', unit],
      ['gradscope.description', description],
    ]),
  );
}

function dataOf(column: ExportedColumn, values: ExportedValues): Data {
  const type = typeOf(column);
  switch (values.kind) {
    case 'text':
      return textData(values);
    case 'list':
      return vectorFromArray(
        values.values.map((list) => (list === null ? null : Array.from(list))),
        type,
      ).data[0]!;
    case 'bool':
      return vectorFromArray(
        Array.from(values.values, (value, row) => (values.valid?.[row] === 0 ? null : value === 1)),
        type,
      ).data[0]!;
    default: {
      const { values: data, valid } = values;
      if (valid === null) return makeData({ type, data, length: data.length, nullCount: 0 } as never);
      return makeData({ type, data, length: data.length, nullBitmap: bitmapOf(valid) } as never);
    }
  }
}

/** Texts whose words are encoded once each. */
function textData({ codes, words }: Extract<ExportedValues, { kind: 'text' }>): Data {
  const encoder = new TextEncoder();
  const encoded = words.map((word) => encoder.encode(word));
  const offsets = new Int32Array(codes.length + 1);
  codes.forEach((code, row) => {
    offsets[row + 1] = offsets[row]! + (encoded[code]?.length ?? 0);
  });
  const data = new Uint8Array(offsets[codes.length]!);
  codes.forEach((code, row) => {
    if (code >= 0) data.set(encoded[code]!, offsets[row]);
  });
  const nullBitmap = codes.includes(-1)
    ? bitmapOf(Uint8Array.from(codes, (code) => Number(code >= 0)))
    : undefined;
  return makeData({
    type: new Utf8(),
    length: codes.length,
    valueOffsets: offsets,
    data,
    ...(nullBitmap === undefined ? { nullCount: 0 } : { nullBitmap }),
  });
}
