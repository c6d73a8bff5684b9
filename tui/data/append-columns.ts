import { ColumnSet, type ColumnView } from '../../src/store/column-views.js';

/** The rows of `a`, then those of `b`: columns of one table that were read at different times. */
export function appendColumns(a: ColumnSet, b: ColumnSet): ColumnSet {
  if (b.rows === 0) return a;
  const rows = a.rows + b.rows;
  const views = new Map(
    a.names.map((name): [string, ColumnView] => [name, joined(a.view(name), b.view(name), rows)]),
  );
  return new ColumnSet(a.path, rows, views);
}

function joined(a: ColumnView, b: ColumnView, length: number): ColumnView {
  const valid = validity(a, b, length);
  if (a.kind === 'int32' && b.kind === 'int32')
    return { kind: 'int32', length, valid, values: concat(new Int32Array(length), a.values, b.values) };
  if (a.kind === 'float64' && b.kind === 'float64')
    return { kind: 'float64', length, valid, values: concat(new Float64Array(length), a.values, b.values) };
  if (a.kind === 'float32' && b.kind === 'float32')
    return { kind: 'float32', length, valid, values: concat(new Float32Array(length), a.values, b.values) };
  if (a.kind === 'dictionary' && b.kind === 'dictionary') {
    const indices = concat(new Int32Array(length), a.indices, b.indices);
    return { kind: 'dictionary', length, valid, indices, values: b.values };
  }
  if (a.kind === 'utf8' && b.kind === 'utf8')
    return { kind: 'utf8', length, valid, values: [...a.values, ...b.values] };
  throw new TypeError(`columns of kind ${a.kind} are read by the batch`);
}

function concat<A extends Int32Array | Float64Array | Float32Array>(target: A, a: A, b: A): A {
  target.set(a);
  target.set(b, a.length);
  return target;
}

function validity(a: ColumnView, b: ColumnView, length: number): Uint8Array | null {
  if (a.valid === null && b.valid === null) return null;
  const valid = new Uint8Array(length).fill(1);
  if (a.valid !== null) valid.set(a.valid);
  if (b.valid !== null) valid.set(b.valid, a.length);
  return valid;
}

/** Bytes of memory that columns hold, about. */
export function sizeOf(columns: ColumnSet): number {
  let bytes = 0;
  for (const name of columns.names) {
    const view = columns.view(name);
    if (view.kind === 'utf8') bytes += view.values.reduce((sum, text) => sum + 2 * text.length, 0);
    else if (view.kind === 'dictionary') bytes += view.indices.byteLength;
    else bytes += view.values.byteLength;
  }
  return bytes;
}
