import * as tf from '@tensorflow/tfjs-core';
import { backward } from './backward.js';
import { compile } from './engine/compiled.js';
import { assembleGradients } from './gradient.js';
import { joinLanes, planLanes, splitLanes } from './lanes.js';
import type { Model, ModelInputs } from './models/model.js';
import { pack, unpack, type ParameterBlock } from './parameters/layout.js';
import type { ParameterTensors } from './tape/factor-tape.js';
import { disposeUses, type ParameterUse } from './tape/uses.js';

/** Gradients of the mean losses of sets of examples; the caller disposes of them. */
export interface SetGradients {
  /** `[set, example]` loss of each example, nats. */
  readonly losses: tf.Tensor2D;
  /** Gradients of the blocks, `[set, size]`. */
  readonly blocks: readonly tf.Tensor2D[];
  dispose(): void;
}

/** Computes the gradients of many sets of examples at the same parameters. */
export interface SetGradientFunction {
  /**
   * @param values blocks of parameters, `[1, size]`
   * @param inputs fields and noise, `[set, example, ...]`
   */
  (values: readonly tf.Tensor[], inputs: ModelInputs): SetGradients;
  dispose(): void;
}

/**
 * Builds the (compiled) function. The sets go through the model as one batch, whose products are larger and cheaper than
 * those of as many replicas with equal parameters; every set's gradient is then assembled from its own factors.
 */
export function setGradientFunction(model: Model, blocks: readonly ParameterBlock[]): SetGradientFunction {
  let names: readonly string[] = [];
  const run = compile('gradients of sets', (tensors) => {
    const given = tensors.slice(blocks.length);
    const lanes = planLanes(given[0]!.shape[0]);
    const split = given.map((tensor) => splitLanes(tensor, lanes));
    const results = lanes.map((_, lane) => {
      const inputs = Object.fromEntries(names.map((name, i) => [name, split[i]![lane]!]));
      const { losses, gradients } = gradientsOfSets(model, blocks, tensors.slice(0, blocks.length), inputs);
      return [losses, ...pack(blocks, gradients)];
    });
    return results[0]!.map((_, i) => joinLanes(results.map((own) => own[i]!)));
  });
  const call = (values: readonly tf.Tensor[], inputs: ModelInputs): SetGradients => {
    names = Object.keys(inputs);
    const [losses, ...own] = run([...values, ...Object.values(inputs)]) as tf.Tensor2D[];
    return { losses: losses!, blocks: own, dispose: () => tf.dispose([losses!, own]) };
  };
  return Object.assign(call, { dispose: () => run.dispose() });
}

/** The same, uncompiled and parameter by parameter, `[set, ...shape]`: for use in compiled functions. */
export function gradientsOfSets(
  model: Model,
  blocks: readonly ParameterBlock[],
  values: readonly tf.Tensor[],
  inputs: ModelInputs,
): { readonly losses: tf.Tensor2D; readonly gradients: ParameterTensors } {
  const [sets, examples] = inputs['labels']!.shape as [number, number];
  const joined = Object.fromEntries(
    Object.entries(inputs).map(([name, tensor]) => [
      name,
      tf.reshape(tensor, [1, sets * examples, ...tensor.shape.slice(2)]),
    ]),
  );
  const weights = tf.fill([1, sets * examples], 1 / examples) as tf.Tensor2D;
  const { losses, uses } = backward(model, unpack(blocks, values), joined, weights);
  const gradients = assembleGradients(
    uses.map((use) => divideUse(use, sets)),
    1,
  ).total;
  disposeUses(uses);
  return { losses: tf.reshape(losses, [sets, examples]), gradients };
}

/** A use of one replica as one of `sets` replicas that have equal runs of its examples: only shapes change. */
function divideUse(use: ParameterUse, sets: number): ParameterUse {
  const divide = <T extends tf.Tensor>(x: T): T =>
    tf.reshape(x, [sets, x.shape[1]! / sets, ...x.shape.slice(2)]) as T;
  switch (use.kind) {
    case 'linear':
      return { ...use, left: divide(use.left), right: divide(use.right) };
    case 'vector':
      return { ...use, sums: divide(use.sums) };
    case 'embedding':
      return { ...use, ids: divide(use.ids), right: divide(use.right) };
  }
}
