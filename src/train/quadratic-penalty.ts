import * as tf from '@tensorflow/tfjs-core';
import type { LossFunction } from './backward.js';
import { acrossLanes } from './from-factors.js';
import type { MinibatchGradient } from './gradient-function.js';
import { planLanes, splitLanes } from './lanes.js';
import type { ModelInputs } from './models/model.js';
import { squaredNorms } from './parameters/block-vectors.js';
import type { ParameterBlock } from './parameters/layout.js';
import {
  gradientAcrossParts,
  partInputs,
  partSums,
  passedPartSums,
  type MinibatchParts,
} from './sub-gradients.js';
import type { ParameterUse } from './tape/uses.js';

/**
 * A quadratic form `R = sum_kl A_kl <g_k, g_l>` of the mean gradients `g_k` of parts of a minibatch.
 *
 * - `squares`: `R = sum_k w_k |g_k - c|^2` with the shares `w_k` of the parts in the minibatch's loss, about `c` the minibatch's
 *   gradient (`centred`, the variance: `A = diag(w) - w w^T`) or about 0 (mean squared norm: `A = diag(w)`).
 * - `matrix`: any symmetric A, `[replica, part, part]`.
 */
export type QuadraticForm =
  | { readonly kind: 'squares'; readonly centred: boolean }
  | { readonly kind: 'matrix'; readonly coefficients: Float32Array };

/** Parts with what they weigh. */
export interface WeightedParts extends MinibatchParts {
  /** `[replica, part]` share of the part in the weights of the minibatch's loss; 0 for a part without examples. */
  readonly shares: Float32Array;
}

/** A penalty and its gradient; the caller disposes of it. */
export interface PenaltyGradient {
  /** `[replica]` R. */
  readonly value: tf.Tensor1D;
  /** `sum_k H_k v_k` with `v_k = sum_l A_kl g_l`, half the gradient of R: blocks `[replica, size]`. */
  readonly half: readonly tf.Tensor2D[];
}

/** Computes penalties on gradients. */
export interface PenaltyFunction {
  /**
   * @param values blocks of parameters, `[replica, size]`
   * @param inputs of the minibatch, `[replica, example, ...]`
   * @param gradient of the minibatch at these parameters
   * @param form of `squares` it is that of these parts alone: those of several calls add up
   */
  (
    values: readonly tf.Tensor[],
    inputs: ModelInputs,
    gradient: Pick<MinibatchGradient, 'blocks' | 'lanes' | 'exampleWeights'>,
    parts: WeightedParts,
    form: QuadraticForm,
  ): PenaltyGradient;
  dispose(): void;
}

/** Differences of gradients that stand for derivatives: one-sided, or two-sided. */
export type Difference = 'forward' | 'central';

/**
 * Builds the (compiled) function from a minibatch's gradient to a penalty and its gradient, without second derivatives
 * (gradient-maths section 13; Dandi et al. 2022): with `r` one number for all parts of a replica,
 *
 *     forward:  sum_k H_k v_k = sum_k (s_k g_k(theta + r v_k / s_k) - s_k g_k(theta)) / r + O(r)
 *     central:  sum_k H_k v_k = sum_k s_k (g_k(theta + r v_k / s_k) - g_k(theta - r v_k / s_k)) / 2 r + O(r^2)
 *
 * where `s_k` is the part's share for `squares` and 1 for a `matrix`. The parts' gradients at theta come from the factors of
 * the minibatch's own backward pass; those at the shifted parameters take one more (central: two), in which every part is an
 * entry of the replica axis and all are assembled as one. A gradient without factors (accumulated) takes one more for those of
 * the parts.
 *
 * @param step root mean square length of the shifts, as a share of the length of the parameters
 */
export function penaltyFunction(
  lossesOf: LossFunction,
  blocks: readonly ParameterBlock[],
  difference: Difference,
  step: number,
): PenaltyFunction {
  /** What the inputs of the graph are; the same whenever their shapes are. */
  let layout: { names: readonly string[]; form: QuadraticForm; hasMask: boolean; isSingle: boolean };

  const compute = (uses: readonly ParameterUse[] | null, tensors: readonly tf.Tensor[]): tf.Tensor[] => {
    const { names, form, hasMask, isSingle } = layout;
    let next = 0;
    const take = (count: number): tf.Tensor[] => tensors.slice(next, (next += count));
    const values = take(blocks.length) as tf.Tensor2D[];
    const [replicas] = values[0]!.shape;
    const means = take(blocks.length) as tf.Tensor2D[];
    const fields = take(names.length);
    const [examples, scales, exampleWeights, coefficients] = take(4) as [
      tf.Tensor3D,
      tf.Tensor2D,
      tf.Tensor3D,
      tf.Tensor,
    ];
    const taken = hasMask ? (take(1)[0] as tf.Tensor3D) : null;
    const minibatch = fields[0]!.shape[1]!;
    const [, parts, size] = examples.shape;

    const ofParts = partInputs(Object.fromEntries(names.map((name, i) => [name, fields[i]!])), examples);
    const sums =
      uses === null
        ? passedPartSums(lossesOf, blocks, values, ofParts, exampleWeights)
        : partSums(blocks, uses, examples, taken, minibatch);
    // Sums of gradients that carry the weights of the minibatch's loss become means; those of a matrix carry a part's own.
    const isMean = uses === null && form.kind === 'matrix';
    const gradients = sums.map((sum, i) => {
      const own = tf.reshape(sum, [replicas, parts, blocks[i]!.size]) as tf.Tensor3D;
      return isMean ? own : tf.mul<tf.Tensor3D>(own, tf.expandDims(scales, 2));
    });
    const squared = (own: readonly tf.Tensor[]): tf.Tensor =>
      tf.addN(own.map((x) => tf.sum(tf.square(x), 2)));
    let directions: tf.Tensor3D[];
    let value: tf.Tensor;
    let meanSquare: tf.Tensor;
    let base: tf.Tensor[];
    if (form.kind === 'squares') {
      directions = form.centred
        ? gradients.map((own, i) => tf.sub(own, tf.expandDims(means[i]!, 1)))
        : gradients;
      value = tf.sum(tf.mul(squared(directions), coefficients), 1);
      meanSquare = tf.div(value, tf.sum(coefficients, 1));
      base = gradients.map((own) => tf.sum(tf.mul(own, tf.expandDims(coefficients, 2)), 1));
    } else {
      directions = gradients.map((own) => tf.matMul(coefficients as tf.Tensor3D, own));
      value = tf.addN(gradients.map((own, i) => tf.sum(tf.mul(own, directions[i]!), [1, 2])));
      meanSquare = tf.mean(squared(directions), 1);
      base = gradients.map((own) => tf.sum(own, 1));
    }
    const length = tf.mul(step, tf.sqrt(squaredNorms(values)));
    const spread = tf.sqrt(meanSquare);
    const shift = tf.reshape(tf.div(length, tf.maximum(spread, 1e-20)), [replicas, 1, 1]);

    const isCentral = difference === 'central';
    const entries = parts * (isCentral ? 2 : 1);
    const both = <T extends tf.Tensor>(x: T, other: () => T): T =>
      isCentral ? tf.concat([x, other()], 1) : x;
    const shifted = directions.map((own, i) => {
      const move = tf.mul(own, shift);
      const start = tf.expandDims(values[i]!, 1);
      const moved = both(tf.add(start, move), () => tf.sub(start, move));
      return tf.reshape(moved, [replicas * entries, blocks[i]!.size]);
    });
    const inputs = isCentral
      ? Object.fromEntries(Object.entries(ofParts).map(([name, x]) => [name, twice(x, replicas)]))
      : ofParts;
    const signed = isCentral
      ? tf.concat([tf.mul(exampleWeights, 0.5), tf.mul(exampleWeights, -0.5)], 1)
      : exampleWeights;
    const weights = tf.reshape(signed, [replicas * entries, size]) as tf.Tensor2D;
    // Two chains of ops keep two cores busy; those of several replicas are in two lanes already.
    const lanes = isSingle ? planLanes(entries) : [{ first: 0, replicas: replicas * entries }];
    const split = (x: tf.Tensor): tf.Tensor[] => splitLanes(x, lanes);
    const ofLanes = lanes.map((_, lane) =>
      gradientAcrossParts(
        lossesOf,
        blocks,
        shifted.map((own) => split(own)[lane] as tf.Tensor2D),
        Object.fromEntries(Object.entries(inputs).map(([name, x]) => [name, split(x)[lane]!])),
        split(weights)[lane] as tf.Tensor2D,
        replicas,
      ),
    );
    const inverse = tf.reshape(tf.div(spread, tf.maximum(length, 1e-20)), [replicas, 1]);
    const half = blocks.map((_, i) => {
      const sum = tf.addN(ofLanes.map((own) => own[i]!));
      return tf.mul(isCentral ? sum : tf.sub(sum, base[i]!), inverse);
    });
    return [value, ...half];
  };

  const twice = (x: tf.Tensor, replicas: number): tf.Tensor => {
    const own = tf.reshape(x, [replicas, x.shape[0] / replicas, ...x.shape.slice(1)]);
    return tf.reshape(tf.concat([own, own], 1), [2 * x.shape[0], ...x.shape.slice(1)]);
  };

  const run = acrossLanes('penalty on gradients', compute);

  const call: (...args: Parameters<PenaltyFunction>) => PenaltyGradient = (
    values,
    inputs,
    gradient,
    parts,
    form,
  ) => {
    const replicas = values[0]!.shape[0];
    const names = Object.keys(inputs);
    layout = { names, form, hasMask: parts.taken !== null, isSingle: replicas === 1 };
    const own = partTensors(parts, form, replicas, gradient.exampleWeights);
    const [value, ...half] = run(gradient, [...values, ...gradient.blocks, ...Object.values(inputs), ...own]);
    tf.dispose(own);
    return { value: value as tf.Tensor1D, half: half as tf.Tensor2D[] };
  };
  return Object.assign(call, { dispose: () => run.dispose() });
}

/**
 * What a call says of its parts: examples; factors that make sums of weighted gradients mean ones; weights of the examples at
 * shifted parameters; shares or matrix; and the mask where there is one.
 */
function partTensors(
  { parts, size, examples, taken, shares }: WeightedParts,
  form: QuadraticForm,
  replicas: number,
  exampleWeights: tf.Tensor2D,
): tf.Tensor[] {
  const inMinibatch = exampleWeights.shape[1];
  const minibatchWeights = exampleWeights.dataSync();
  const weights = Float32Array.from(examples, (_, place) => {
    const part = Math.floor(place / size);
    const weight = minibatchWeights[Math.floor(part / parts) * inMinibatch]! * (taken?.[place] ?? 1);
    if (form.kind === 'squares' || weight === 0) return weight;
    return weight / shares[part]!;
  });
  const scales = shares.map((share) => (share > 0 ? 1 / share : 0));
  return [
    tf.tensor3d(examples, [replicas, parts, size], 'int32'),
    tf.tensor2d(scales, [replicas, parts]),
    tf.tensor3d(weights, [replicas, parts, size]),
    form.kind === 'squares'
      ? tf.tensor2d(shares, [replicas, parts])
      : tf.tensor3d(form.coefficients, [replicas, parts, parts]),
    ...(taken === null ? [] : [tf.tensor3d(taken, [replicas, parts, size])]),
  ];
}
