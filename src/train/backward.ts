import * as tf from '@tensorflow/tfjs-core';
import type { Model, ModelInputs } from './models/model.js';
import { queryLoss } from './models/ops/query-loss.js';
import { FactorTape, type ParameterTensors } from './tape/factor-tape.js';
import type { ParameterUse } from './tape/uses.js';

/** What one batched backward pass yields. The caller disposes of all of it. */
export interface Backward {
  /** `[replica, example]` loss of each example. */
  readonly losses: tf.Tensor2D;
  /** Factors of every parameter use, scaled by each example's weight. */
  readonly uses: readonly ParameterUse[];
}

/**
 * Runs a model forward and backward once and records the factors of every parameter use.
 *
 * @param inputs fields `[replica, example, ...]` of the batch, `labels` and `weights` among them, and any noise
 * @param exampleWeights `[replica, example]`: the factors are those of `sum_i weight_i loss_i`; 1 / examples gives
 * the minibatch mean, 1 gives every example's own gradient
 * @param placeWeights see {@link FactorTape}
 */
export function backward(
  model: Model,
  parameters: ParameterTensors,
  inputs: ModelInputs,
  exampleWeights: tf.Tensor2D,
  placeWeights: tf.Tensor3D | null = null,
): Backward {
  const lossesOf = modelLosses(model);
  return recordBackward(parameters, (tape) => lossesOf(tape, inputs), exampleWeights, placeWeights);
}

/** `[replica, example]` losses of a batch, the parameters used through the tape alone. */
export type LossFunction = (tape: FactorTape, inputs: ModelInputs) => tf.Tensor2D;

/** What a model is trained to lower. */
export function modelLosses(model: Model): LossFunction {
  return (tape, inputs) =>
    queryLoss(model.logits(tape, inputs), inputs['labels'] as tf.Tensor3D, inputs['weights'] as tf.Tensor3D);
}

/**
 * Runs any function of parameters forward and backward once and records the factors of every parameter use.
 *
 * @param lossesOf `[replica, example]` loss of each example; uses parameters through the tape alone
 * @param exampleWeights `[replica, example]`: the factors are those of `sum_i weight_i loss_i`
 * @param placeWeights see {@link FactorTape}
 */
export function recordBackward(
  parameters: ParameterTensors,
  lossesOf: (tape: FactorTape) => tf.Tensor2D,
  exampleWeights: tf.Tensor2D,
  placeWeights: tf.Tensor3D | null = null,
): Backward {
  const root = tf.scalar(0);
  let tape: FactorTape | undefined;
  const { value, grads } = tf.engine().gradients(
    () => {
      tape = new FactorTape(parameters, exampleWeights.shape[1], root, placeWeights);
      return lossesOf(tape);
    },
    [root],
    exampleWeights,
  );
  tape!.end();
  tf.dispose([grads, root]);
  return { losses: value, uses: tape!.uses };
}

/** Losses and logits without a backward pass. */
export function forward(
  model: Model,
  parameters: ParameterTensors,
  inputs: ModelInputs,
): { losses: tf.Tensor2D; logits: tf.Tensor3D } {
  const labels = inputs['labels'] as tf.Tensor3D;
  const root = tf.scalar(0);
  const tape = new FactorTape(parameters, labels.shape[1], root);
  const logits = model.logits(tape, inputs);
  return { logits, losses: queryLoss(logits, labels, inputs['weights'] as tf.Tensor3D) };
}
