import type { ExampleSet, FieldBuffers, FieldSpecs } from './experiment.js';
import { fieldSize } from './fields.js';
import type { ExamplePiece } from './pieces.js';

/** Examples computed beforehand, to be copied: field after field a flat array `[row, ...shape]`. */
export interface ExampleTable {
  readonly fields: FieldSpecs;
  readonly buffers: FieldBuffers;
  /** `[row]` index of each row's group, or -1. */
  readonly group: Int32Array;
  /** `[row]` variable a row is about. */
  readonly variable: Int32Array;
  /** `[row]` number of each row among the training examples of the run, or -1. */
  readonly id: Int32Array;
}

/**
 * The rows `rows` of a table as an example set. `fill` only copies numbers, and throws a RangeError for a row that is
 * not there and a TypeError for buffers that lack a field.
 *
 * @param pieces of a row of the table, where they are told
 */
export function tableExamples(
  table: ExampleTable,
  rows: Int32Array,
  pieces?: (row: number) => readonly ExamplePiece[],
): ExampleSet {
  const sourceOf = (row: number): number => {
    const source = rows[row];
    if (source === undefined) throw new RangeError(`no row ${row} among ${rows.length}`);
    return source;
  };
  const columns = Object.entries(table.fields).map(([name, spec]) => {
    return { name, width: fieldSize(spec), values: column(table.buffers, name) };
  });
  return {
    size: rows.length,
    fields: table.fields,
    group: rows.map((row) => table.group[row]!),
    variable: rows.map((row) => table.variable[row]!),
    id: rows.map((row) => table.id[row]!),
    fill(chosen, first, buffers) {
      const sources = Int32Array.from(chosen, sourceOf);
      for (const { name, width, values } of columns) {
        const target = column(buffers, name);
        let to = first * width;
        // For the few numbers of a row a loop is faster than making a view and calling `set`.
        for (const source of sources) {
          for (let i = 0, from = source * width; i < width; i++) target[to++] = values[from + i]!;
        }
      }
    },
    ...(pieces === undefined ? {} : { pieces: (row: number) => pieces(sourceOf(row)) }),
  };
}

function column(buffers: FieldBuffers, name: string): Int32Array | Float32Array {
  const values = buffers[name];
  if (values === undefined) throw new TypeError(`the buffers have no field ${name}`);
  return values;
}
