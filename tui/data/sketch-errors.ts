import { totalTensor } from '../../src/store/tables/common.js';
import { tables } from '../../src/store/tables/registry.js';
import { readTypedBatch, type DictionaryColumn } from '../../src/store/typed-table.js';
import type { RunSource } from './run-source.js';

/** How far inner products of sketches are from the exact ones. */
export interface SketchErrors {
  /** Root mean square of (estimate - exact) / sqrt((|a|^2 |b|^2 + (a.b)^2) / size). */
  readonly standardised: number;
  readonly pairs: number;
  readonly size: number;
}

/** Steps whose sketches are compared: enough for the mean, few to read. */
const most = 32;

/**
 * Inner products of the sketches of different groups against those of the table `gram`, all tensors together. Null
 * where the log does not have both.
 */
export async function sketchErrors(run: RunSource): Promise<SketchErrors | null> {
  const reader = await run.tables.reader('sketches');
  if (reader === null || !run.tables.names.has('gram')) return null;
  let [sum, pairs, size] = [0, 0, 0];
  const seen = new Set<number>();
  for (let i = 0; i < reader.batches.length && seen.size < most; i++) {
    const names = ['step', 'group', 'tensor', 'sketch'] as const;
    const { rows, columns } = await readTypedBatch(reader, tables.sketches, i, names);
    const { step, group, tensor, sketch } = columns;
    size = sketch.size;
    const bySteps = new Map<number, Map<string, Float32Array>>();
    for (let row = 0; row < rows; row++) {
      if (tensor.text(row) !== totalTensor) continue;
      const own = bySteps.get(step[row]!) ?? new Map<string, Float32Array>();
      own.set(group.text(row), sketch.row(row));
      bySteps.set(step[row]!, own);
    }
    for (const [at, sketches] of bySteps) {
      if (seen.size >= most) break;
      seen.add(at);
      const exact = await products(run, at);
      for (const [pair, inner] of exact) {
        const [a, b] = pair.split('\n');
        const [x, y] = [sketches.get(a!), sketches.get(b!)];
        const [xx, yy] = [exact.get(`${a}\n${a}`), exact.get(`${b}\n${b}`)];
        if (a === b || x === undefined || y === undefined || xx === undefined || yy === undefined) continue;
        const bound = Math.sqrt((xx * yy + inner * inner) / size);
        if (!(bound > 0)) continue;
        sum += ((dot(x, y) - inner) / bound) ** 2;
        pairs++;
      }
    }
  }
  return pairs === 0 ? null : { standardised: Math.sqrt(sum / pairs), pairs, size };
}

/** Inner products of a step by `a\nb`, those of a group with itself included, all tensors. */
async function products(run: RunSource, at: number): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  const gram = await run.tables.rowsOfSteps(
    tables.gram,
    ['step', 'tensor', 'group_a', 'group_b', 'inner'],
    at,
    at,
  );
  const norms = await run.tables.rowsOfSteps(tables.gradients, ['step', 'tensor', 'group', 'norm2'], at, at);
  if (gram === null || norms === null) return found;
  const add = (
    { step, tensor }: { readonly step: Int32Array; readonly tensor: DictionaryColumn },
    a: DictionaryColumn,
    b: DictionaryColumn,
    values: Float64Array,
  ): void => {
    for (let row = 0; row < step.length; row++) {
      if (step[row] === at && tensor.text(row) === totalTensor)
        found.set(`${a.text(row)}\n${b.text(row)}`, values[row]!);
    }
  };
  add(norms.columns, norms.columns.group, norms.columns.group, norms.columns.norm2);
  add(gram.columns, gram.columns.group_a, gram.columns.group_b, gram.columns.inner);
  return found;
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
