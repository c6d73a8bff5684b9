import { ColumnSet } from './column-views.js';
import type { ColumnView } from './column-views.js';

/** Rows `from` to `to` of columns, which share memory with them. */
export function rowRange(set: ColumnSet, from: number, to: number): ColumnSet {
  if (from === 0 && to === set.rows) return set;
  const columns = set.names.map((name) => [name, viewRange(set.view(name), from, to)] as const);
  return new ColumnSet(set.path, to - from, new Map(columns));
}

function viewRange(view: ColumnView, from: number, to: number): ColumnView {
  const shared = { length: to - from, valid: view.valid?.subarray(from, to) ?? null };
  switch (view.kind) {
    case 'utf8':
      return { ...view, ...shared, values: view.values.slice(from, to) };
    case 'dictionary':
      return { ...view, ...shared, indices: view.indices.subarray(from, to) };
    case 'fixed-list-float32':
      return { ...view, ...shared, values: view.values.subarray(from * view.size, to * view.size) };
    case 'list-float32':
    case 'list-float64':
    case 'list-int32':
      return { ...view, ...shared, offsets: view.offsets.subarray(from, to + 1) };
    case 'int32':
      return { ...view, ...shared, values: view.values.subarray(from, to) };
    case 'float32':
      return { ...view, ...shared, values: view.values.subarray(from, to) };
    case 'float64':
      return { ...view, ...shared, values: view.values.subarray(from, to) };
    case 'bool':
      return { ...view, ...shared, values: view.values.subarray(from, to) };
  }
}

/**
 * Bytes that the first `row` rows of columns take, without bitmaps, for every `row` from 0 to `rows`: what a row takes
 * does not depend on the batch it is in.
 */
export function bytesBefore(set: ColumnSet): (row: number) => number {
  const parts = set.names.map((name) => viewBytes(set.view(name)));
  return (row) => parts.reduce((sum, part) => sum + part(row), 0);
}

function viewBytes(view: ColumnView): (row: number) => number {
  switch (view.kind) {
    case 'utf8': {
      const ends = new Float64Array(view.length + 1);
      for (const [i, text] of view.values.entries()) ends[i + 1] = ends[i]! + 4 + text.length;
      return (row) => ends[row]!;
    }
    case 'list-float32':
    case 'list-float64':
    case 'list-int32': {
      const { offsets, values } = view;
      return (row) => 4 * row + (offsets[row]! - offsets[0]!) * values.BYTES_PER_ELEMENT;
    }
    case 'fixed-list-float32':
      return (row) => 4 * view.size * row;
    case 'float64':
      return (row) => 8 * row;
    case 'bool':
      return (row) => row / 8;
    case 'int32':
    case 'float32':
    case 'dictionary':
      return (row) => 4 * row;
  }
}
