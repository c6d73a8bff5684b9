import { Field, Float64, Schema, Table, tableToIPC, Utf8, vectorFromArray, type Vector } from 'apache-arrow';
import type { Slice, SliceColumn } from '../view/slice.js';

/** A slice as an Arrow file: units in the metadata of its fields, the command behind it in that of the schema. */
export function toArrow(slice: Slice, command: string): Uint8Array {
  const vectors = slice.columns.map((column) => vectorOf(column));
  const fields = slice.columns.map(
    ({ name, unit, kind }) =>
      new Field(
        name,
        kind === 'number' ? new Float64() : new Utf8(),
        kind === 'number',
        new Map(unit === '' ? [] : [['gradscope.unit', unit]]),
      ),
  );
  const schema = new Schema(fields, new Map([['gradscope.command', command]]));
  const columns: Record<string, Vector> = {};
  for (const [i, { name }] of slice.columns.entries()) columns[name] = vectors[i]!;
  return tableToIPC(new Table(schema, columns), 'file');
}

function vectorOf(column: SliceColumn): Vector {
  return column.kind === 'number'
    ? vectorFromArray([...column.values], new Float64())
    : vectorFromArray([...column.values], new Utf8());
}
