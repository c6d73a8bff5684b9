import * as tf from '@tensorflow/tfjs-core';
import type { GradientFunction } from '../train/gradient-function.js';
import { Learner } from '../train/learner.js';
import type { ParameterBlock } from '../train/parameters/layout.js';
import type { Checkpoint } from './checkpoint.js';
import { updatingOf } from './learning-rates.js';
import type { Minibatch } from './minibatch.js';
import type { RunPlan } from './plan.js';
import { updates } from './updates.js';

/** One update of a stage that is taken again. */
export interface ReplayedUpdate {
  /** Updates of the stage with this one: 1, 2, ... */
  readonly stageStep: number;
  /** The same of the whole run. */
  readonly step: number;
  readonly minibatch: Minibatch;
  /**
   * `[example]` factor of each example's gradient in the update's: weight in the loss, times clipping. What an intervention
   * adds to the gradient of the minibatch is no example's.
   */
  readonly weights: Float32Array;
  /** Factor of clipping on the gradient. */
  readonly clipFactor: number;
  /** Factor of the schedule on the learning rates. */
  readonly rateFactor: number;
  /** Blocks of parameters before and after, `[1, size]`. */
  readonly before: readonly tf.Tensor[];
  readonly after: readonly tf.Tensor[];
  /** The learner, after the update. */
  readonly learner: Learner;
}

/**
 * Takes the updates of a stage of a run of one seed again, from the checkpoint before it or one within: same minibatches, same
 * noise.
 * The weights are those of the run up to rounding (bit for bit if it trained alone). Whoever iterates must not keep
 * tensors of an update beyond it.
 *
 * @param shared see {@link Learner}
 */
export function* replayStage(
  plan: RunPlan,
  stage: number,
  start: Checkpoint,
  shared: ((blocks: readonly ParameterBlock[]) => GradientFunction) | null = null,
): Generator<ReplayedUpdate, void> {
  const learner = new Learner(plan.model, 1, plan.config.loss.normalisation, shared);
  learner.load([start.parameters]);
  learner.beginStage(updatingOf(plan.stages[stage]!));
  const from = start.position.stage === stage ? start.position.stageStep : 0;
  if (from > 0) learner.loadOptimizer([start.optimizer]);
  try {
    for (const update of updates(plan, stage, learner, from)) {
      const { place, minibatch, gradient, clipFactors, rateFactors } = update;
      const clip = clipFactors[0]!;
      const weights = gradient.exampleWeights.dataSync<'float32'>().map((weight) => weight * clip);
      const before = learner.read();
      update.apply();
      const after = learner.read();
      const { stageStep, step } = place;
      const rateFactor = rateFactors[0]!;
      try {
        yield { stageStep, step, minibatch, weights, clipFactor: clip, rateFactor, before, after, learner };
      } finally {
        tf.dispose([before, after]);
      }
    }
  } finally {
    learner.dispose();
  }
}
