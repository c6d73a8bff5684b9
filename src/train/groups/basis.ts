import * as tf from '@tensorflow/tfjs-core';
import { gatherRows } from '../engine/ops/gather-rows.js';
import { embeddingParts } from '../tape/embedding.js';
import type { LinearUse, ParameterUse } from '../tape/uses.js';
import { vectorParts } from '../tape/vector.js';

/** Tensors that say how one minibatch divides into groups; see `arrange.ts`. */
export interface GroupTensors {
  readonly groups: number;
  /** `[replica, example]` int32 group of each example. */
  readonly groupOf: tf.Tensor2D;
  /** `[replica, group, example]` 1 where an example belongs to a group, else 0. */
  readonly membership: tf.Tensor3D;
  /** `[replica, slot * place]` int32 example in each place of each slot. */
  readonly slotExamples: tf.Tensor2D;
  /** `[replica, slot * place]` 1 where the place is taken. */
  readonly slotTaken: tf.Tensor2D;
  /** Slots of a replica. */
  readonly slots: number;
  /** `[replica, group, chunk + slot]` coefficients of groups over the basis. */
  readonly coefficients: tf.Tensor3D;
}

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
export function partGradients(
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
