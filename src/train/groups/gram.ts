import * as tf from '@tensorflow/tfjs-core';
import { gatherRows } from '../engine/ops/gather-rows.js';
import { embeddingParts } from '../tape/embedding.js';
import type { LinearUse, ParameterUse } from '../tape/uses.js';
import { vectorParts } from '../tape/vector.js';
import type { GroupTensors, MinibatchGroups } from './division.js';

/**
 * Gradients of a parameter from which every group's follows: over the basis of chunks and slots for a parameter with
 * one linear use, over the groups themselves for all others.
 */
export interface PartGradients {
  readonly over: 'basis' | 'groups';
  /** `[replica, part, size]` */
  readonly values: tf.Tensor3D;
}

/**
 * @param uses all uses of one parameter
 * @param chunks `[replica, chunk, in, out]` of its linear use, where that is its only use
 */
function partGradients(
  uses: readonly ParameterUse[],
  chunks: tf.Tensor4D | undefined,
  tensors: GroupTensors,
): PartGradients {
  const [only] = uses;
  if (uses.length === 1 && only?.kind === 'linear') {
    return { over: 'basis', values: linearBasis(only, chunks!, tensors) };
  }
  const parts = uses.map((use) => directGroups(use, tensors));
  return { over: 'groups', values: parts.reduce((sum, part) => tf.add(sum, part)) };
}

/** Gradients of the groups, `[replica, group, size]`. */
export function groupGradients(parts: PartGradients, { coefficients }: GroupTensors): tf.Tensor3D {
  return parts.over === 'groups' ? parts.values : tf.matMul(coefficients, parts.values);
}

function directGroups(use: ParameterUse, tensors: GroupTensors): tf.Tensor3D {
  switch (use.kind) {
    case 'vector':
      return vectorParts(use, tensors.membership);
    case 'embedding': {
      const parts = embeddingParts(use, tensors.groupOf, tensors.groups);
      const [replicas, groups, size, width] = parts.shape;
      return tf.reshape(parts, [replicas, groups, size * width]);
    }
    case 'linear': {
      // Only tied parameters come here: their linear use is rare and small enough to be summed by masks.
      const [replicas, rows, outputs] = use.right.shape;
      const groups = Array.from({ length: tensors.groups }, (_, group) => {
        const member = tf.cast(tf.equal(tensors.groupOf, tf.scalar(group, 'int32')), 'float32');
        const mask = tf.reshape(tf.tile(tf.expandDims(member, 2), [1, 1, use.rows]), [replicas, rows, 1]);
        const product = tf.matMul(use.left, tf.mul(use.right, mask), true, false);
        return tf.reshape(product, [replicas, 1, use.left.shape[2] * outputs]);
      });
      return tf.concat(groups, 1) as tf.Tensor3D;
    }
  }
}

/** Chunk and slot gradients of a linear use, `[replica, chunk + slot, in * out]`. */
function linearBasis(use: LinearUse, chunks: tf.Tensor4D, tensors: GroupTensors): tf.Tensor3D {
  const [replicas, count, inputs, outputs] = chunks.shape;
  const size = inputs * outputs;
  const flatChunks = tf.reshape(chunks, [replicas, count, size]) as tf.Tensor3D;
  const { slots, slotExamples, slotTaken } = tensors;
  if (slots === 0) return flatChunks;
  const places = slotExamples.shape[1] / slots;
  const taken = tf.reshape(slotTaken, [replicas * slots, places, 1]);
  const gather = (x: tf.Tensor3D, masked: boolean): tf.Tensor => {
    const rows = tf.reshape(gatherExamples(x, use.rows, slotExamples), [replicas * slots, places, -1]);
    const width = x.shape[2];
    return tf.reshape(masked ? tf.mul(rows, taken) : rows, [replicas * slots, places * use.rows, width]);
  };
  // Empty places are masked in the narrower factor.
  const left = gather(use.left, inputs <= outputs);
  const right = gather(use.right, inputs > outputs);
  const products = tf.matMul(left, right, true, false);
  return tf.concat([flatChunks, tf.reshape(products, [replicas, slots, size])], 1) as tf.Tensor3D;
}

/** Rows of chosen examples: `[replica * chosen, rows * width]` from `[replica, example * row, width]`. */
function gatherExamples(x: tf.Tensor3D, rows: number, chosen: tf.Tensor2D): tf.Tensor2D {
  const [replicas, total, width] = x.shape;
  const examples = total / rows;
  const base = tf.expandDims(tf.range(0, replicas * examples, examples, 'int32'), 1);
  const flat = tf.reshape(tf.add(chosen, base), [-1]) as tf.Tensor1D;
  return gatherRows(tf.reshape(x, [replicas * examples, rows * width]), flat);
}

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
