import { groupColumnName } from '../store/columns.js';
import { tables, totalTensor } from '../store/schemas.js';
import { readTable, type RunData } from './run-data.js';

/** Inner products and norms of group gradients over the steps of a run, all tensors together. */
export interface GroupGradients {
  /** Steps with a Gram matrix, ascending. */
  readonly steps: Int32Array;
  /** `[step]` inner product of two groups; NaN where one of them was not in the minibatch. */
  inner(a: string, b: string): Float64Array;
  /** `[step]` squared norm of a group's share of the minibatch gradient, or of `minibatch`. */
  norm2(group: string): Float64Array;
  /** `[step]` sum over the group's examples of squared per-example norms; NaN at steps that do not measure it. */
  exampleNorm2(group: string): Float64Array;
  /** `[step]` examples of a group; of the minibatch for `minibatch`. */
  count(group: string): Float64Array;
}

/** Reads the group gradients of a run, or null where its log has none. */
export async function readGroupGradients(run: RunData): Promise<GroupGradients | null> {
  const gradients = await readTable(run, 'gradients', ['step', 'group', 'tensor', 'norm2', 'example_norm2']);
  const gram = await readTable(run, 'gram', ['step', 'tensor', 'group_a', 'group_b', 'inner']);
  const { prefix } = tables.steps.groupColumns;
  const countColumns = run.info.groups.map((group) => groupColumnName(prefix, group));
  const steps = await readTable(run, 'steps', ['step', 'batch_size', ...countColumns]);
  if (gradients === null || gram === null || steps === null) return null;

  const tensor = gradients.column('tensor', 'dictionary');
  const total = tensor.values.indexOf(totalTensor);
  const step = gradients.column('step', 'int32').values;
  const logged = new Set<number>();
  for (let row = 0; row < gradients.rows; row++) if (tensor.indices[row] === total) logged.add(step[row]!);
  const places = new Map([...logged].toSorted((a, b) => a - b).map((own, place) => [own, place]));
  const series = (): Float64Array => new Float64Array(places.size).fill(NaN);

  const norms = new Map<string, Float64Array>();
  const examples = new Map<string, Float64Array>();
  const group = gradients.column('group', 'dictionary');
  const norm2 = gradients.column('norm2', 'float64').values;
  const example = gradients.column('example_norm2', 'float64').values;
  for (let row = 0; row < gradients.rows; row++) {
    if (tensor.indices[row] !== total) continue;
    const name = group.values[group.indices[row]!]!;
    const place = places.get(step[row]!)!;
    at(norms, name, series)[place] = norm2[row]!;
    at(examples, name, series)[place] = example[row]!;
  }

  const products = new Map<string, Float64Array>();
  const gramTensor = gram.column('tensor', 'dictionary');
  const gramTotal = gramTensor.values.indexOf(totalTensor);
  const gramStep = gram.column('step', 'int32').values;
  const [a, b] = [gram.column('group_a', 'dictionary'), gram.column('group_b', 'dictionary')];
  const inner = gram.column('inner', 'float64').values;
  for (let row = 0; row < gram.rows; row++) {
    const place = places.get(gramStep[row]!);
    if (gramTensor.indices[row] !== gramTotal || place === undefined) continue;
    at(products, pairKey(a.values[a.indices[row]!]!, b.values[b.indices[row]!]!), series)[place] =
      inner[row]!;
  }

  const counts = new Map<string, Float64Array>();
  const runStep = steps.column('step', 'int32').values;
  const countOf = (column: string): Float64Array => {
    const values = steps.column(column, 'int32').values;
    const own = series();
    for (let row = 0; row < steps.rows; row++) {
      const place = places.get(runStep[row]!);
      if (place !== undefined) own[place] = values[row]!;
    }
    return own;
  };
  run.info.groups.forEach((name, i) => counts.set(name, countOf(countColumns[i]!)));
  counts.set('minibatch', countOf('batch_size'));

  return {
    steps: Int32Array.from(places.keys()),
    inner: (x, y) => products.get(pairKey(x, y)) ?? series(),
    norm2: (name) => norms.get(name) ?? series(),
    exampleNorm2: (name) => examples.get(name) ?? series(),
    count: (name) => counts.get(name) ?? series(),
  };
}

/** The table holds each pair once. */
function pairKey(a: string, b: string): string {
  return a < b ? `${a}\n${b}` : `${b}\n${a}`;
}

function at(map: Map<string, Float64Array>, key: string, make: () => Float64Array): Float64Array {
  let own = map.get(key);
  if (own === undefined) {
    own = make();
    map.set(key, own);
  }
  return own;
}
