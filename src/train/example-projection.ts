import * as tf from '@tensorflow/tfjs-core';
import { modelLosses } from './backward.js';
import { fromFactors } from './from-factors.js';
import type { MinibatchGradient } from './gradient-function.js';
import type { Model, ModelInputs } from './models/model.js';
import type { ParameterBlock } from './parameters/layout.js';
import { spanProjection } from './span-projection.js';
import { partSums, passedPartSums } from './sub-gradients.js';

/** Examples of R minibatches with others, off the span of whose gradients theirs are projected. */
export interface ProjectedExamples {
  /** Of a replica, padding among them. */
  readonly examples: number;
  /** Others of each of them, padding among them. */
  readonly others: number;
  /** `[replica, example]` position in the minibatch; any where there is padding. */
  readonly places: Int32Array;
  /** `[replica, example]` 1 for an example and 0 for padding. */
  readonly present: Uint8Array;
  /** Fields of the others, `[replica, example * other, ...]`. */
  readonly inputs: ModelInputs;
  /** `[replica, example * other]` 1 for an example and 0 for padding. */
  readonly taken: Float32Array;
}

/** What the projection takes away; the caller disposes of the tensors. */
export interface RemovedParts {
  /** Sum over the examples of the parts of their gradients within the spans, blocks `[replica, size]`. */
  readonly blocks: readonly tf.Tensor2D[];
  /** `[replica]` sums over the examples: squared norms of their gradients and of the removed parts, dimensions of the spans. */
  readonly squares: readonly number[];
  readonly removed: readonly number[];
  readonly ranks: readonly number[];
}

/** Computes the parts of examples' gradients within spans of other examples' gradients. */
export interface ExampleProjection {
  /** @param values blocks of parameters, `[replica, size]`, at which `gradient` is the minibatch's */
  (values: readonly tf.Tensor[], gradient: MinibatchGradient, projected: ProjectedExamples): RemovedParts;
  dispose(): void;
}

/**
 * The gradients of the examples come from the factors of the minibatch, as the loss weighs them; those of the others from one
 * more backward pass, without the noise of training. All are formed, example by example. A gradient d loses `sum_k c_k q_k`
 * such that `<q_j, R (d - sum_k c_k q_k)> = 0` for all others q_j, with R the learning rates of the parameters: an update of plain
 * SGD then leaves the losses of the others as they are, to first order. Squared norms are in that product, too, with the
 * largest rate taken for 1.
 *
 * @param rateOf `[replica]` learning rate of a parameter; those with 0 in the first replica do not count
 */
export function exampleProjection(
  model: Model,
  blocks: readonly ParameterBlock[],
  rateOf: readonly ((parameter: string) => number)[],
): ExampleProjection {
  const lossesOf = modelLosses(model);
  /** Names and number of the fields of the others, and of examples in a minibatch; the same whenever the shapes are. */
  let layout: { readonly names: readonly string[]; readonly minibatch: number };
  const masks = blocks.map(({ size, parameters }) => {
    const mask = new Float32Array(size).fill(1);
    for (const { name, offset, size: own } of parameters)
      if (rateOf[0]!(name) === 0) mask.fill(0, offset, offset + own);
    return mask.includes(0) ? mask : null;
  });
  const scales = rateScales(blocks, rateOf);
  const scaled = [...scales.keys()].filter((i) => scales[i] !== null);
  const counted = (sums: readonly tf.Tensor2D[]): tf.Tensor2D[] =>
    sums.map((block, i) => {
      const mask = masks[i];
      return mask == null ? block : tf.mul(block, tf.tensor2d(mask, [1, mask.length]));
    });

  const compute = fromFactors('gradients of examples and others', (uses, tensors) => {
    const { names, minibatch } = layout;
    const values = tensors.slice(0, blocks.length);
    const [places, taken, ...given] = tensors.slice(blocks.length) as [tf.Tensor3D, tf.Tensor3D];
    const fields = given.slice(scaled.length);
    const [replicas, examples] = places.shape;
    const others = taken.shape[1] / examples;
    const inputs = Object.fromEntries(
      names.map((name, i) => {
        const field: tf.Tensor = fields[i]!;
        return [name, tf.reshape(field, [replicas * examples * others, 1, ...field.shape.slice(2)])];
      }),
    );
    const own = counted(partSums(blocks, uses, places, null, minibatch));
    const spanning = counted(passedPartSums(lossesOf, blocks, values, inputs, taken)).map((block) =>
      tf.reshape(block, [replicas * examples, others, block.shape[1]]),
    );
    const families = own.map((block, i) => tf.concat([tf.expandDims(block, 1), spanning[i]!], 1));
    const gram = tf.addN(
      families.map((family, i) => {
        const at = scaled.indexOf(i);
        const own = at < 0 ? family : inRates(family, given[at]!);
        return tf.matMul(own, own, false, true);
      }),
    );
    return [gram, ...spanning];
  });

  const call = (
    values: readonly tf.Tensor[],
    gradient: MinibatchGradient,
    { examples, others, places, present, inputs, taken }: ProjectedExamples,
  ): RemovedParts => {
    const [replicas, minibatch] = gradient.losses.shape;
    layout = { names: Object.keys(inputs), minibatch };
    const given = [
      tf.tensor3d(places, [replicas, examples, 1], 'int32'),
      tf.tensor3d(taken, [replicas, examples * others, 1]),
      ...scaled.map((i) => tf.tensor3d(scales[i]!, [replicas, 1, blocks[i]!.size])),
    ];
    const [gram, ...spanning] = compute(gradient, [...values, ...given, ...Object.values(inputs)]);
    const products = gram!.dataSync();
    const size = (others + 1) ** 2;
    const coefficients = new Float32Array(replicas * examples * others);
    const sums = { squares: [] as number[], removed: [] as number[], ranks: [] as number[] };
    for (let replica = 0; replica < replicas; replica++) {
      let [squares, removed, ranks] = [0, 0, 0];
      for (let i = replica * examples; i < (replica + 1) * examples; i++) {
        if (present[i] === 0) continue;
        const family = products.subarray(i * size, (i + 1) * size);
        const own = spanProjection(family, others);
        coefficients.set(own.coefficients, i * others);
        squares += family[0]!;
        removed += own.square;
        ranks += own.rank;
      }
      sums.squares.push(squares);
      sums.removed.push(removed);
      sums.ranks.push(ranks);
    }
    const removed = tf.tidy(() => {
      const factors = tf.tensor3d(coefficients, [replicas, 1, examples * others]);
      return spanning.map((block) => {
        const length = block.shape[2]!;
        const joined = tf.reshape(block, [replicas, examples * others, length]);
        return tf.squeeze<tf.Tensor2D>(tf.matMul(factors, joined), [1]);
      });
    });
    tf.dispose([given, gram!, spanning]);
    return { blocks: removed, ...sums };
  };
  return Object.assign(call, { dispose: () => compute.dispose() });
}

/**
 * `[block]` `[replica, size]` roots of the learning rates over the largest of a replica; null for a block in which all of every replica
 * are 1.
 */
function rateScales(
  blocks: readonly ParameterBlock[],
  rateOf: readonly ((parameter: string) => number)[],
): (Float32Array | null)[] {
  const names = blocks.flatMap(({ parameters }) => parameters.map(({ name }) => name));
  const largest = rateOf.map((own) => Math.max(...names.map(own)));
  return blocks.map(({ size, parameters }) => {
    const scales = new Float32Array(rateOf.length * size).fill(1);
    rateOf.forEach((own, replica) => {
      for (const { name, offset, size: length } of parameters) {
        const scale = largest[replica]! > 0 ? Math.sqrt(own(name) / largest[replica]!) : 1;
        scales.fill(scale, replica * size + offset, replica * size + offset + length);
      }
    });
    return scales.every((scale) => scale === 1) ? null : scales;
  });
}

/** Vectors `[replica * example, 1 + others, size]` times the scales of their replica, `[replica, 1, size]`. */
function inRates(family: tf.Tensor, scales: tf.Tensor): tf.Tensor {
  const [replicas, , size] = scales.shape as [number, number, number];
  const byReplica = tf.reshape(family, [replicas, -1, size]);
  return tf.reshape(tf.mul(byReplica, scales), family.shape);
}
