import * as tf from '@tensorflow/tfjs-core';
import { createStream } from '../../data/random/streams.js';
import { Learner } from '../train/learner.js';
import { clipFactor, scheduleFactor } from '../train/optimizers/schedule.js';
import { minibatchOrder } from '../train/sampler.js';
import type { Checkpoint } from './checkpoint.js';
import { learningRates } from './learning-rates.js';
import { groupSizes, minibatchOf, type Minibatch } from './minibatch.js';
import type { RunPlan } from './plan.js';

/** One update of a stage that is taken again. */
export interface ReplayedUpdate {
  /** Updates of the stage with this one: 1, 2, ... */
  readonly stageStep: number;
  /** The same of the whole run. */
  readonly step: number;
  readonly minibatch: Minibatch;
  /** `[example]` factor of each example's gradient in the update's: weight in the loss, times clipping. */
  readonly weights: Float32Array;
  /** Factor of the schedule on the learning rates. */
  readonly rateFactor: number;
  /** Blocks of parameters before and after, `[1, size]`. */
  readonly before: readonly tf.Tensor[];
  readonly after: readonly tf.Tensor[];
  /** The learner, after the update. */
  readonly learner: Learner;
}

/**
 * Takes the updates of a stage of a run of one seed again, from the checkpoint before it: same minibatches, same noise.
 * The weights are those of the run up to rounding (bit for bit if it trained alone). Whoever iterates must not keep
 * tensors of an update beyond it.
 */
export function* replayStage(
  plan: RunPlan,
  stage: number,
  start: Checkpoint,
): Generator<ReplayedUpdate, void> {
  const { model, config, data, seeds } = plan;
  const stagePlan = plan.stages[stage]!;
  const { config: own, sets, steps, stepsPerEpoch, firstStep } = stagePlan;
  const learner = new Learner(model, 1, config.loss.normalisation);
  learner.load([start.parameters]);
  learner.beginStage({ optimizer: own.optimizer, learningRate: learningRates(own) });
  const sizes = groupSizes(stagePlan, data[0]!.groups.length);
  const order = minibatchOrder(
    sets[0]!,
    own.batchSize,
    own.sampler,
    createStream(seeds[0]!, `order/${own.name}`),
  );
  try {
    let epoch: Int32Array[] = [];
    for (let done = 0; done < steps; done++) {
      if (done % stepsPerEpoch === 0) epoch = order.epoch(done / stepsPerEpoch);
      const stageStep = done + 1;
      const minibatch = minibatchOf(plan, stagePlan, sizes, [epoch[done % stepsPerEpoch]!], stageStep);
      const gradient = learner.gradient(minibatch.inputs, minibatch.chunks);
      const clip = clipFactor(Math.sqrt(gradient.norm2.dataSync()[0]!), own.clipNorm);
      const weights = gradient.exampleWeights.dataSync<'float32'>().map((weight) => weight * clip);
      const rateFactor = scheduleFactor(own.schedule, stageStep, steps);
      const before = learner.read();
      learner.update(gradient.blocks, [clip], [rateFactor], stageStep);
      const after = learner.read();
      try {
        yield {
          stageStep,
          step: firstStep + stageStep,
          minibatch,
          weights,
          rateFactor,
          before,
          after,
          learner,
        };
      } finally {
        gradient.dispose();
        tf.dispose([minibatch.inputs, before, after]);
      }
    }
  } finally {
    learner.dispose();
  }
}
