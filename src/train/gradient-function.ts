import * as tf from '@tensorflow/tfjs-core';
import { backward } from './backward.js';
import { compile, type CompiledFunction } from './engine/compiled.js';
import { assembleGradients } from './gradient.js';
import type { Model, ModelInputs } from './models/model.js';
import { pack, unpack, type Block } from './parameters/layout.js';
import { bindUses, factorsOf, flattenUses, type FlatUses, type ParameterUse } from './tape/uses.js';

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
  /** Parameter -> `[replica, chunk, in, out]` gradients of chunks of examples, for maps used once. */
  readonly chunks: ReadonlyMap<string, tf.Tensor4D>;
  readonly uses: readonly ParameterUse[];
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
  blocks: readonly Block[],
  normalisation: 'example' | 'token',
): GradientFunction {
  // What a call returns in which order, known once it has been captured.
  let layout: { flat: Pick<FlatUses, 'uses' | 'slots'>; factors: number; chunkNames: string[] } | null = null;
  const compiled = new Map<string, CompiledFunction>();

  const build = (names: readonly string[], chunks: 1 | 2): CompiledFunction =>
    compile('minibatch gradient', (tensors) => {
      const values = tensors.slice(0, blocks.length);
      const inputs = Object.fromEntries(names.map((name, i) => [name, tensors[blocks.length + i]!]));
      const weights = exampleWeightsOf(inputs['weights'] as tf.Tensor3D, normalisation);
      const { losses, uses } = backward(model, unpack(blocks, values), inputs, weights);
      const assembled = assembleGradients(uses, chunks);
      const gradients = pack(blocks, assembled.total);
      const norm2 = tf.addN(gradients.map((gradient) => tf.sum(tf.square(gradient), 1)));
      const flat = flattenUses(uses);
      // A factor that two uses share was kept by both; one of them leaves this function.
      const kept = new Set(flat.factors);
      for (const factor of uses.flatMap(factorsOf)) if (!kept.has(factor)) factor.dispose();
      const chunkNames = [...assembled.chunks.keys()];
      layout = { flat, factors: flat.factors.length, chunkNames };
      return [losses, weights, norm2, ...gradients, ...assembled.chunks.values(), ...flat.factors];
    });

  const call = (values: readonly tf.Tensor[], inputs: ModelInputs, chunks: 1 | 2): MinibatchGradient => {
    const names = Object.keys(inputs);
    const key = `${chunks} ${names.join()}`;
    let run = compiled.get(key);
    if (run === undefined) {
      run = build(names, chunks);
      compiled.set(key, run);
    }
    const outputs = run([...values, ...Object.values(inputs)]);
    const { flat, factors, chunkNames } = layout!;
    const [losses, exampleWeights, norm2] = outputs as [tf.Tensor2D, tf.Tensor2D, tf.Tensor1D];
    const firstChunk = 3 + blocks.length;
    return {
      losses,
      exampleWeights,
      norm2,
      blocks: outputs.slice(3, firstChunk) as tf.Tensor2D[],
      chunks: new Map(chunkNames.map((name, i) => [name, outputs[firstChunk + i] as tf.Tensor4D])),
      uses: bindUses(flat, outputs.slice(-factors)),
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
