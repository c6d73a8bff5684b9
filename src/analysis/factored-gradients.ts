import { UserError } from '../../data/errors.js';
import { tables } from '../store/tables/registry.js';
import { readTable, type RunData } from './run-data.js';

/** One use of a parameter by one example; rows of its factors are consecutive. */
interface FactoredUse {
  readonly kind: 'linear' | 'vector' | 'embedding';
  readonly rows: number;
  /** `[row, in]`; empty but for linear. */
  readonly left: Float32Array;
  /** `[row]`; empty but for embedding. */
  readonly ids: Int32Array;
  /** `[row, out]`; of a vector use one row. */
  readonly right: Float32Array;
  /** Rows of the table; ids outside it did not use it. */
  readonly size: number;
}

/** The gradient of one example of a probe panel, as the factors that it is the product of. */
export interface FactoredGradient {
  readonly example: number;
  readonly subset: string;
  readonly variable: number;
  /** Kind of the definition, or of the question. */
  readonly role: string;
  /** Tensor -> its uses. */
  readonly uses: ReadonlyMap<string, readonly FactoredUse[]>;
}

/**
 * Reads the factored gradients of a checkpoint, in the order of the panel. Throws a UserError when the run has none:
 * `gradscope probe --factors` stores them.
 */
export async function readFactoredGradients(run: RunData, step: number): Promise<FactoredGradient[]> {
  const table = await readTable(run, tables.factors, [
    'step',
    'example',
    'subset',
    'variable',
    'role',
    'tensor',
    'kind',
    'rows',
    'left',
    'ids',
    'right',
  ]);
  if (table === null) {
    throw new UserError(`${run.folder}: has no table factors; store it with: gradscope probe --factors`);
  }
  const { step: steps, example, variable, subset, role, tensor, kind, rows } = table.columns;
  const { left, ids, right } = table.columns;
  const sizes = new Map(run.info.parameters.map((parameter) => [parameter.tensor, parameter.shape[0] ?? 0]));
  const found = new Map<number, FactoredGradient & { readonly uses: Map<string, FactoredUse[]> }>();
  for (let row = 0; row < table.rows; row++) {
    if (steps[row] !== step) continue;
    let own = found.get(example[row]!);
    if (own === undefined) {
      own = {
        example: example[row]!,
        subset: subset.text(row),
        variable: variable[row]!,
        role: role.text(row),
        uses: new Map(),
      };
      found.set(own.example, own);
    }
    const use: FactoredUse = {
      kind: kind.text(row) === 'linear' ? 'linear' : kind.text(row) === 'vector' ? 'vector' : 'embedding',
      rows: rows[row]!,
      left: left.values.subarray(left.offsets[row], left.offsets[row + 1]),
      ids: ids.values.subarray(ids.offsets[row], ids.offsets[row + 1]),
      right: right.values.subarray(right.offsets[row], right.offsets[row + 1]),
      size: sizes.get(tensor.text(row)) ?? 0,
    };
    own.uses.set(tensor.text(row), [...(own.uses.get(tensor.text(row)) ?? []), use]);
  }
  return [...found.values()].toSorted((a, b) => a.example - b.example);
}

/**
 * Inner product of two examples' gradients of one tensor, or of all of them, in float64:
 * `sum_{t,s} (a_t . a_s)(b_t . b_s)` for linear uses, with the cross terms of a table that is embedding and unembedding.
 */
export function factoredProduct(a: FactoredGradient, b: FactoredGradient, tensor: string | null): number {
  let sum = 0;
  for (const [name, uses] of a.uses) {
    if (tensor !== null && name !== tensor) continue;
    for (const x of uses) for (const y of b.uses.get(name) ?? []) sum += productOfUses(x, y);
  }
  return sum;
}

function productOfUses(x: FactoredUse, y: FactoredUse): number {
  if (x.kind === 'linear' && y.kind === 'embedding') return productOfUses(y, x);
  const inner = (a: Float32Array, i: number, b: Float32Array, j: number, width: number): number => {
    let sum = 0;
    for (let p = 0; p < width; p++) sum += a[i * width + p]! * b[j * width + p]!;
    return sum;
  };
  let sum = 0;
  for (let t = 0; t < x.rows; t++) {
    for (let s = 0; s < y.rows; s++) {
      if (x.kind === 'embedding' && y.kind === 'linear') {
        // A tied table: the unembedding's left factor is the gradient at the logits.
        const width = y.right.length / y.rows;
        const logits = y.left.length / y.rows;
        const id = x.ids[t]!;
        if (isInTable(id, logits)) sum += inner(x.right, t, y.right, s, width) * y.left[s * logits + id]!;
        continue;
      }
      const right = inner(x.right, t, y.right, s, x.right.length / x.rows);
      if (x.kind === 'linear') sum += right * inner(x.left, t, y.left, s, x.left.length / x.rows);
      else if (x.kind === 'vector' || (x.ids[t] === y.ids[s] && isInTable(x.ids[t]!, x.size))) sum += right;
    }
  }
  return sum;
}

function isInTable(id: number, size: number): boolean {
  return id >= 0 && id < size;
}
