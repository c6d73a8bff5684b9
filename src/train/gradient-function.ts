import * as tf from '@tensorflow/tfjs-core';
import { backward } from './backward.js';
import { compile, type CompiledFunction } from './engine/compiled.js';
import { assembleGradients } from './gradient.js';
import {
  divisionKey,
  divisionTensors,
  splitDivision,
  type GroupTensors,
  type MinibatchGroups,
} from './groups/division.js';
import { gramProducts, partGradientsOf, readGrams } from './groups/gram.js';
import { joinLanes, planLanes, splitLanes, type Lane } from './lanes.js';
import type { Model, ModelInputs } from './models/model.js';
import { squaredNorms } from './parameters/block-vectors.js';
import { pack, unpack, type ParameterBlock } from './parameters/layout.js';
import { bindUses, factorsOf, flattenUses, type FlatUses, type ParameterUse } from './tape/uses.js';

/** The factors of some consecutive replicas. */
export interface LaneFactors extends Lane {
  /** Parameter -> `[replica, chunk, in, out]` gradients of chunks of examples, for maps used once. */
  readonly chunks: ReadonlyMap<string, tf.Tensor4D>;
  readonly uses: readonly ParameterUse[];
}

/** The gradient of one minibatch for R replicas; the caller disposes of it. */
export interface MinibatchGradient {
  /** `[replica, example]` loss of each example, nats. */
  readonly losses: tf.Tensor2D;
  /** `[replica, example]` weight of each example in the minibatch's loss. */
  readonly exampleWeights: tf.Tensor2D;
  /** `[replica]` squared norm of the whole gradient. */
  readonly norm2: tf.Tensor1D;
  /** Gradients of the blocks, `[replica, size]`. */
  readonly blocks: readonly tf.Tensor2D[];
  /** Runs of examples that were kept apart. */
  readonly chunks: 1 | 2;
  /** None where the gradient is accumulated. */
  readonly lanes: readonly LaneFactors[];
  /** The groups that it tells apart; null where it was not asked for them. */
  readonly groups: MinibatchGroups | null;
  /** Gives the Gram matrices of the groups, see {@link readGrams}; null where there are no groups. */
  readonly grams: (() => Float64Array) | null;
  dispose(): void;
}

/** Computes minibatch gradients with their factors. */
export interface GradientFunction {
  /**
   * @param values blocks of parameters, `[replica, size]`
   * @param inputs fields and noise, `[replica, example, ...]`
   * @param chunks runs of examples to keep apart; must divide the number of examples
   * @param groups to have the Gram matrices of
   */
  (
    values: readonly tf.Tensor[],
    inputs: ModelInputs,
    chunks: 1 | 2,
    groups?: MinibatchGroups | null,
  ): MinibatchGradient;
  dispose(): void;
}

/**
 * Builds the (compiled) function from parameters and a minibatch to its gradient. It always returns the factors too,
 * whether or not anything is logged, and the Gram matrices of groups are computed from nothing but what it returns in
 * any case: TensorFlow rearranges a graph only between the values that leave it, so that logging cannot change what is
 * trained. Within the graph they take the cores' idle moments and need not fetch the factors from memory again.
 *
 * @param normalisation `example`: every example weighs 1 / examples; `token`: every target weighs 1 / targets
 */
export function gradientFunction(
  model: Model,
  blocks: readonly ParameterBlock[],
  normalisation: 'example' | 'token',
): GradientFunction {
  // What a lane returns, known once it has been captured; the same for all lanes and batch sizes.
  let layout: { flat: Pick<FlatUses, 'uses' | 'slots'>; factors: number; chunkNames: string[] } | null = null;
  const compiled = new Map<string, CompiledFunction>();

  const parameters = model.parameters.map(({ name }) => name);

  const computeLane = (
    values: readonly tf.Tensor[],
    inputs: ModelInputs,
    chunks: 1 | 2,
    division: GroupTensors | null,
  ) => {
    const weights = exampleWeightsOf(inputs['weights'] as tf.Tensor3D, normalisation);
    const { losses, uses } = backward(model, unpack(blocks, values), inputs, weights);
    const assembled = assembleGradients(uses, chunks);
    const gradients = pack(blocks, assembled.total);
    const norm2 = squaredNorms(gradients);
    const grams =
      division === null ? [] : gramProducts(partGradientsOf(parameters, uses, assembled.chunks, division));
    const flat = flattenUses(uses);
    // A factor that two uses share was kept by both; one of them leaves this function.
    const kept = new Set(flat.factors);
    for (const factor of uses.flatMap(factorsOf)) if (!kept.has(factor)) factor.dispose();
    layout = { flat, factors: flat.factors.length, chunkNames: [...assembled.chunks.keys()] };
    return {
      joined: [losses, weights, norm2, ...gradients, ...grams],
      apart: [...assembled.chunks.values(), ...flat.factors],
    };
  };

  const build = (
    names: readonly string[],
    chunks: 1 | 2,
    lanes: readonly Lane[],
    groups: MinibatchGroups | null,
  ): CompiledFunction => {
    const shape = groups === null ? null : { groups: groups.groups, slots: { slots: groups.slots.slots } };
    const firstDivision = blocks.length + names.length;
    return compile('minibatch gradient', (tensors) => {
      const split = tensors.slice(0, firstDivision).map((tensor) => splitLanes(tensor, lanes));
      const divisions = shape === null ? null : splitDivision(tensors.slice(firstDivision), shape, lanes);
      const results = lanes.map((_, lane) => {
        const own = split.map((parts) => parts[lane]!);
        const inputs = Object.fromEntries(names.map((name, i) => [name, own[blocks.length + i]!]));
        return computeLane(own.slice(0, blocks.length), inputs, chunks, divisions?.[lane] ?? null);
      });
      const joined = results[0]!.joined.map((_, i) => joinLanes(results.map((result) => result.joined[i]!)));
      return [...joined, ...results.flatMap(({ apart }) => apart)];
    });
  };

  const call = (
    values: readonly tf.Tensor[],
    inputs: ModelInputs,
    chunks: 1 | 2,
    groups: MinibatchGroups | null = null,
  ): MinibatchGradient => {
    const names = Object.keys(inputs);
    const replicas = values[0]!.shape[0];
    const lanes = planLanes(replicas);
    const key = `${replicas} ${chunks} ${names.join()} ${groups === null ? '' : divisionKey(groups)}`;
    let run = compiled.get(key);
    if (run === undefined) {
      run = build(names, chunks, lanes, groups);
      compiled.set(key, run);
    }
    const division = groups === null ? [] : divisionTensors(groups, replicas);
    const outputs = run([...values, ...Object.values(inputs), ...division]);
    tf.dispose(division);
    const { flat, factors, chunkNames } = layout!;
    const [losses, exampleWeights, norm2] = outputs as [tf.Tensor2D, tf.Tensor2D, tf.Tensor1D];
    const perLane = chunkNames.length + factors;
    const firstApart = outputs.length - lanes.length * perLane;
    const firstGram = 3 + blocks.length;
    const products = outputs.slice(firstGram, firstApart);
    const grams = (): Float64Array =>
      readGrams(
        products,
        parameters.map((name) => chunkNames.includes(name)),
        groups!,
      );
    return {
      losses,
      exampleWeights,
      norm2,
      chunks,
      blocks: outputs.slice(3, firstGram) as tf.Tensor2D[],
      groups,
      grams: groups === null ? null : grams,
      lanes: lanes.map((lane, i) => {
        const own = outputs.slice(firstApart + i * perLane, firstApart + (i + 1) * perLane);
        return {
          ...lane,
          chunks: new Map(chunkNames.map((name, chunk) => [name, own[chunk] as tf.Tensor4D])),
          uses: bindUses(flat, own.slice(chunkNames.length)),
        };
      }),
      dispose: () => tf.dispose(outputs),
    };
  };
  const dispose = (): void => {
    for (const run of compiled.values()) run.dispose();
    compiled.clear();
  };
  return Object.assign(call, { dispose });
}

/** `[replica, example]` weights of the examples in the mean loss of the minibatch. */
function exampleWeightsOf(weights: tf.Tensor3D, normalisation: 'example' | 'token'): tf.Tensor2D {
  const [replicas, examples] = weights.shape;
  if (normalisation === 'example') return tf.fill([replicas, examples], 1 / examples);
  const total = tf.reshape(tf.sum(weights, [1, 2]), [replicas, 1]);
  return tf.tile(tf.div(1, total), [1, examples]) as tf.Tensor2D;
}
