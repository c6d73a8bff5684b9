import * as tf from '@tensorflow/tfjs-core';
import type { ParameterUse } from '../tape/uses.js';
import { partGradients, type GroupTensors, type PartGradients } from './basis.js';
import type { MinibatchGroups } from './division.js';

/** Part gradients of every parameter, in the order of `parameters`. */
export function partGradientsOf(
  parameters: readonly string[],
  uses: readonly ParameterUse[],
  chunks: ReadonlyMap<string, tf.Tensor4D>,
  tensors: GroupTensors,
): PartGradients[] {
  return parameters.map((name) =>
    partGradients(
      uses.filter(({ parameter }) => parameter === name),
      chunks.get(name),
      tensors,
    ),
  );
}

/**
 * The products from which {@link readGrams} has the Gram matrices of the groups, `[replica, parameter, part, part]`: first of
 * the parameters whose parts are a basis, then of those whose parts are the groups, as far as there are any.
 */
export function gramProducts(parts: readonly PartGradients[]): tf.Tensor[] {
  return (['basis', 'groups'] as const).flatMap((over) => {
    const chosen = parts.filter((part) => part.over === over);
    if (chosen.length === 0) return [];
    const products = chosen.map(({ values }) => tf.matMul(values, values, false, true));
    return [tf.stack(products, 1)];
  });
}

/**
 * Gram matrices of the group gradients, `[replica, parameter, group, group]` in float64. A group's gradient is its
 * examples' share of the minibatch gradient, so that the groups sum to the minibatch: the sum of a matrix's entries is
 * the squared norm of the minibatch gradient.
 *
 * @param products of {@link gramProducts}
 * @param overBasis of each parameter, whether its parts are a basis
 */
export function readGrams(
  products: readonly tf.Tensor[],
  overBasis: readonly boolean[],
  { groups, slots }: MinibatchGroups,
): Float64Array {
  const queues = products.map((tensor) => ({
    values: tensor.dataSync<'float32'>(),
    shape: tensor.shape,
    next: 0,
  }));
  const replicas = queues[0]!.shape[0];
  const result = new Float64Array(replicas * overBasis.length * groups * groups);
  overBasis.forEach((basis, parameter) => {
    const queue = queues[basis || queues.length === 1 ? 0 : 1]!;
    const index = queue.next++;
    const [, count, size] = queue.shape as [number, number, number];
    for (let replica = 0; replica < replicas; replica++) {
      const from = (replica * count + index) * size * size;
      const matrix = queue.values.subarray(from, from + size * size);
      const to = (replica * overBasis.length + parameter) * groups * groups;
      const target = result.subarray(to, to + groups * groups);
      if (basis) {
        const first = replica * groups * size;
        congruence(slots.coefficients.subarray(first, first + groups * size), matrix, groups, size, target);
      } else target.set(matrix);
    }
  });
  return result;
}

/** `target = C M C^T` for C `[groups, size]` and symmetric M `[size, size]`. */
function congruence(
  c: Float32Array,
  m: ArrayLike<number>,
  groups: number,
  size: number,
  target: Float64Array,
): void {
  const product = new Float64Array(groups * size);
  for (let g = 0; g < groups; g++) {
    for (let k = 0; k < size; k++) {
      const factor = c[g * size + k]!;
      if (factor === 0) continue;
      for (let j = 0; j < size; j++) product[g * size + j]! += factor * m[k * size + j]!;
    }
  }
  for (let g = 0; g < groups; g++) {
    for (let h = 0; h < groups; h++) {
      let sum = 0;
      for (let j = 0; j < size; j++) sum += product[g * size + j]! * c[h * size + j]!;
      target[g * groups + h] = sum;
    }
  }
}
