import { totalTensor } from '../../src/store/schemas.js';
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
    const batch = await reader.readBatch(i, ['step', 'group', 'tensor', 'sketch']);
    const step = batch.column('step', 'int32').values;
    const [group, tensor] = [batch.column('group', 'dictionary'), batch.column('tensor', 'dictionary')];
    const sketch = batch.column('sketch', 'fixed-list-float32');
    size = sketch.size;
    const bySteps = new Map<number, Map<string, Float32Array>>();
    for (let row = 0; row < batch.rows; row++) {
      if (tensor.values[tensor.indices[row]!] !== totalTensor) continue;
      const own = bySteps.get(step[row]!) ?? new Map<string, Float32Array>();
      own.set(group.values[group.indices[row]!]!, sketch.values.subarray(row * size, (row + 1) * size));
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
    'gram',
    ['step', 'tensor', 'group_a', 'group_b', 'inner'],
    at,
    at,
  );
  const norms = await run.tables.rowsOfSteps('gradients', ['step', 'tensor', 'group', 'norm2'], at, at);
  if (gram === null || norms === null) return found;
  const add = (set: typeof gram, first: string, second: string, value: string): void => {
    const step = set.column('step', 'int32').values;
    const tensor = set.column('tensor', 'dictionary');
    const [a, b] = [set.column(first, 'dictionary'), set.column(second, 'dictionary')];
    const values = set.column(value, 'float64').values;
    for (let row = 0; row < set.rows; row++) {
      if (step[row] !== at || tensor.values[tensor.indices[row]!] !== totalTensor) continue;
      found.set(`${a.values[a.indices[row]!]}\n${b.values[b.indices[row]!]}`, values[row]!);
    }
  };
  add(norms, 'group', 'group', 'norm2');
  add(gram, 'group_a', 'group_b', 'inner');
  return found;
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
