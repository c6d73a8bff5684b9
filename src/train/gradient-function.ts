import * as tf from '@tensorflow/tfjs-core';
import { backward } from './backward.js';
import { compile, type CompiledFunction } from './engine/compiled.js';
import { assembleGradients } from './gradient.js';
import { joinLanes, planLanes, splitLanes, type Lane } from './lanes.js';
import type { Model, ModelInputs } from './models/model.js';
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
  readonly lanes: readonly LaneFactors[];
  dispose(): void;
}

/** Computes minibatch gradients with their factors. */
export interface GradientFunction {
  /**
   * @param values blocks of parameters, `[replica, size]`
   * @param inputs fields and noise, `[replica, example, ...]`
   * @param chunks runs of examples to keep apart; must divide the number of examples
   */
  (values: readonly tf.Tensor[], inputs: ModelInputs, chunks: 1 | 2): MinibatchGradient;
  dispose(): void;
}

/**
 * Builds the (compiled) function from parameters and a minibatch to its gradient. It always returns the factors too,
 * whether or not anything is logged, so that logging cannot change what the training graph computes.
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

  const computeLane = (values: readonly tf.Tensor[], inputs: ModelInputs, chunks: 1 | 2) => {
    const weights = exampleWeightsOf(inputs['weights'] as tf.Tensor3D, normalisation);
    const { losses, uses } = backward(model, unpack(blocks, values), inputs, weights);
    const assembled = assembleGradients(uses, chunks);
    const gradients = pack(blocks, assembled.total);
    const norm2 = tf.addN(gradients.map((gradient) => tf.sum(tf.square(gradient), 1)));
    const flat = flattenUses(uses);
    // A factor that two uses share was kept by both; one of them leaves this function.
    const kept = new Set(flat.factors);
    for (const factor of uses.flatMap(factorsOf)) if (!kept.has(factor)) factor.dispose();
    layout = { flat, factors: flat.factors.length, chunkNames: [...assembled.chunks.keys()] };
    return {
      joined: [losses, weights, norm2, ...gradients],
      apart: [...assembled.chunks.values(), ...flat.factors],
    };
  };

  const build = (names: readonly string[], chunks: 1 | 2, lanes: readonly Lane[]): CompiledFunction =>
    compile('minibatch gradient', (tensors) => {
      const split = tensors.map((tensor) => splitLanes(tensor, lanes));
      const results = lanes.map((_, lane) => {
        const own = split.map((parts) => parts[lane]!);
        const inputs = Object.fromEntries(names.map((name, i) => [name, own[blocks.length + i]!]));
        return computeLane(own.slice(0, blocks.length), inputs, chunks);
      });
      const joined = results[0]!.joined.map((_, i) => joinLanes(results.map((result) => result.joined[i]!)));
      return [...joined, ...results.flatMap(({ apart }) => apart)];
    });

  const call = (values: readonly tf.Tensor[], inputs: ModelInputs, chunks: 1 | 2): MinibatchGradient => {
    const names = Object.keys(inputs);
    const lanes = planLanes(values[0]!.shape[0]);
    const key = `${values[0]!.shape[0]} ${chunks} ${names.join()}`;
    let run = compiled.get(key);
    if (run === undefined) {
      run = build(names, chunks, lanes);
      compiled.set(key, run);
    }
    const outputs = run([...values, ...Object.values(inputs)]);
    const { flat, factors, chunkNames } = layout!;
    const [losses, exampleWeights, norm2] = outputs as [tf.Tensor2D, tf.Tensor2D, tf.Tensor1D];
    const firstApart = 3 + blocks.length;
    const perLane = chunkNames.length + factors;
    return {
      losses,
      exampleWeights,
      norm2,
      chunks,
      blocks: outputs.slice(3, firstApart) as tf.Tensor2D[],
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
