import {
  Field,
  Float64,
  Int32,
  List,
  Schema,
  Table,
  tableToIPC,
  Utf8,
  vectorFromArray,
  type DataType,
  type Vector,
} from 'apache-arrow';
import type { Slice, SliceColumn } from './slice.js';

/** A slice as an Arrow file: units in the metadata of its fields, the command behind it in that of the schema. */
export function toArrow(slice: Slice, command: string): Uint8Array {
  const vectors = slice.columns.map((column) => vectorOf(column));
  const fields = slice.columns.map(
    ({ name, unit, kind }) =>
      new Field(
        name,
        typeOf[kind](),
        kind === 'number',
        new Map(unit === '' ? [] : [['gradscope.unit', unit]]),
      ),
  );
  const schema = new Schema(fields, new Map([['gradscope.command', command]]));
  const columns: Record<string, Vector> = {};
  for (const [i, { name }] of slice.columns.entries()) columns[name] = vectors[i]!;
  return tableToIPC(new Table(schema, columns), 'file');
}

const typeOf: Readonly<Record<SliceColumn['kind'], () => DataType>> = {
  number: () => new Float64(),
  text: () => new Utf8(),
  numbers: () => new List(new Field('item', new Int32(), false)),
  texts: () => new List(new Field('item', new Utf8(), false)),
};

function vectorOf({ kind, values }: SliceColumn): Vector {
  return vectorFromArray([...values], typeOf[kind]());
}
