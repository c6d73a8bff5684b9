import * as tf from '@tensorflow/tfjs-core';
import { recordBackward, type LossFunction } from './backward.js';
import { gatherRows } from './engine/ops/gather-rows.js';
import { assembleGradients } from './gradient.js';
import type { ModelInputs } from './models/model.js';
import { pack, unpack, type ParameterBlock } from './parameters/layout.js';
import { disposeUses, type ParameterUse } from './tape/uses.js';

/** Parts of the minibatches of R replicas: of each as many, of as many examples; shorter ones are padded. */
export interface MinibatchParts {
  readonly parts: number;
  /** Examples of a part, padding among them. */
  readonly size: number;
  /** `[replica, part, place]` position of the example in its minibatch; any position where there is padding. */
  readonly examples: Int32Array;
  /** `[replica, part, place]` 1 for an example and 0 for padding; null where there is none. */
  readonly taken: Float32Array | null;
}

/**
 * Sums over each part's examples of what the factors of a whole minibatch hold, `[replica * part, size]` of each block: one
 * backward pass gives the gradients of all parts. For use in compiled functions.
 *
 * @param uses factors of the minibatches, with the weights that its loss gave the examples
 * @param examples `[replica, part, place]` int32, see {@link MinibatchParts}
 * @param taken the same shape, or null
 * @param minibatch examples of a minibatch
 */
export function partSums(
  blocks: readonly ParameterBlock[],
  uses: readonly ParameterUse[],
  examples: tf.Tensor3D,
  taken: tf.Tensor3D | null,
  minibatch: number,
): tf.Tensor2D[] {
  const [replicas, parts, size] = examples.shape;
  const places = flatPlaces(examples, minibatch);
  const pick = <T extends tf.Tensor>(x: T): T => {
    const perExample = x.size / (replicas * minibatch);
    const picked = gatherRows(tf.reshape(x, [replicas * minibatch, perExample]), places);
    return tf.reshape(picked, [replicas * parts, (x.shape[1]! / minibatch) * size, ...x.shape.slice(2)]) as T;
  };
  // Of a product of two factors one has to vanish at padding.
  const mask = <T extends tf.Tensor>(x: T): T =>
    taken === null
      ? x
      : (tf.reshape(
          tf.mul(
            tf.reshape(x, [replicas * parts, size, x.size / (replicas * parts * size)]),
            tf.reshape(taken, [replicas * parts, size, 1]),
          ),
          x.shape,
        ) as T);
  const picked = uses.map((use): ParameterUse => {
    switch (use.kind) {
      case 'linear':
        return { ...use, left: pick(use.left), right: mask(pick(use.right)) };
      case 'vector':
        return { ...use, sums: mask(pick(use.sums)) };
      case 'embedding':
        return { ...use, ids: pick(use.ids), right: mask(pick(use.right)) };
    }
  });
  return pack(blocks, assembleGradients(picked, 1).total) as tf.Tensor2D[];
}

/**
 * The same sums by a backward pass of their own, where there are no factors of a whole minibatch. For use in compiled
 * functions.
 *
 * @param values blocks of parameters, `[replica, size]`
 * @param inputs of the parts, `[replica * part, place, ...]`
 * @param weights of the examples in the minibatch's loss, 0 for padding, `[replica, part, place]`
 */
export function passedPartSums(
  lossesOf: LossFunction,
  blocks: readonly ParameterBlock[],
  values: readonly tf.Tensor[],
  inputs: ModelInputs,
  weights: tf.Tensor3D,
): tf.Tensor2D[] {
  const [replicas, parts, size] = weights.shape;
  const together = Object.fromEntries(
    Object.entries(inputs).map(([name, x]) => [
      name,
      tf.reshape(x, [replicas, parts * size, ...x.shape.slice(2)]),
    ]),
  );
  // As one batch of the replica: its products are larger and cheaper than those of as many entries with equal parameters.
  const flat = tf.reshape(weights, [replicas, parts * size]) as tf.Tensor2D;
  const { uses } = recordBackward(unpack(blocks, values), (tape) => lossesOf(tape, together), flat);
  const own = withReplicas(uses, replicas * parts);
  const sums = pack(blocks, assembleGradients(own, 1).total) as tf.Tensor2D[];
  disposeUses(uses);
  return sums;
}

/** Uses with their examples, in their order, dealt out to another number of replicas: only shapes change. */
function withReplicas(uses: readonly ParameterUse[], replicas: number): ParameterUse[] {
  const deal = <T extends tf.Tensor>(x: T): T =>
    tf.reshape(x, [replicas, (x.shape[0] * x.shape[1]!) / replicas, ...x.shape.slice(2)]) as T;
  return uses.map((use) => {
    switch (use.kind) {
      case 'linear':
        return { ...use, left: deal(use.left), right: deal(use.right) };
      case 'vector':
        return { ...use, sums: deal(use.sums) };
      case 'embedding':
        return { ...use, ids: deal(use.ids), right: deal(use.right) };
    }
  });
}

/** Examples of parts, `[replica * part, place, ...]`, of inputs `[replica, example, ...]`. For use in compiled functions. */
export function partInputs(inputs: ModelInputs, examples: tf.Tensor3D): ModelInputs {
  const [replicas, parts, size] = examples.shape;
  return Object.fromEntries(
    Object.entries(inputs).map(([name, x]) => {
      const minibatch = x.shape[1]!;
      const rest = x.shape.slice(2);
      const table = tf.reshape(x, [replicas * minibatch, x.size / (replicas * minibatch)]) as tf.Tensor2D;
      const picked = gatherRows(table, flatPlaces(examples, minibatch));
      return [name, tf.reshape(picked, [replicas * parts, size, ...rest])];
    }),
  );
}

/** `[replica * part * place]` rows of examples where those of all minibatches are counted through. */
function flatPlaces(examples: tf.Tensor3D, minibatch: number): tf.Tensor1D {
  const [replicas] = examples.shape;
  const first = Int32Array.from({ length: replicas }, (_, replica) => replica * minibatch);
  return tf.reshape(tf.add(examples, tf.tensor(first, [replicas, 1, 1], 'int32')), [-1]) as tf.Tensor1D;
}

/**
 * Gradient of `sum over a replica's parts and their examples of weight_i loss_i(parameters of the part)`, `[replica, size]` of
 * each block: every part is an entry of the replica axis, with parameters of its own, and all of a replica are assembled as
 * one. For use in compiled functions.
 *
 * @param values blocks of parameters, `[replica * part, size]`
 * @param inputs of the parts, `[replica * part, place, ...]`
 * @param weights `[replica * part, place]`
 */
export function gradientAcrossParts(
  lossesOf: LossFunction,
  blocks: readonly ParameterBlock[],
  values: readonly tf.Tensor2D[],
  inputs: ModelInputs,
  weights: tf.Tensor2D,
  replicas: number,
): tf.Tensor2D[] {
  const { uses } = recordBackward(unpack(blocks, values), (tape) => lossesOf(tape, inputs), weights);
  const gradients = pack(blocks, assembleGradients(withReplicas(uses, replicas), 1).total) as tf.Tensor2D[];
  disposeUses(uses);
  return gradients;
}
