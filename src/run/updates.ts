import { performance } from 'node:perf_hooks';
import * as tf from '@tensorflow/tfjs-core';
import type { MinibatchGradient } from '../train/gradient-function.js';
import type { MinibatchGroups } from '../train/groups/division.js';
import type { Learner } from '../train/learner.js';
import { clipFactor, scheduleFactor } from '../train/optimizers/schedule.js';
import type { StepPlace } from './log/gradient-log.js';
import { groupSizes, minibatchOf, type Minibatch } from './minibatch.js';
import { stageOrder } from './order.js';
import type { RunPlan, StagePlan } from './plan.js';

/** An update of R replicas, computed and not yet taken. */
export interface Update {
  readonly place: StepPlace;
  readonly minibatch: Minibatch;
  /** Before clipping. */
  readonly gradient: MinibatchGradient;
  /** `[replica]` norm of the gradient, before clipping. */
  readonly norms: readonly number[];
  /** `[replica]` factor of clipping on the gradient. */
  readonly clipFactors: readonly number[];
  /** `[replica]` factor of the schedule on the full learning rates. */
  readonly rateFactors: readonly number[];
  /** What the minibatch and its gradient took, ms. */
  readonly gradientMs: number;
  /** Updates the parameters. Without it they stay as they are. */
  apply(): void;
  /** Frees the minibatch and its gradient; done before the next update in any case. */
  dispose(): void;
}

/**
 * The one training step: minibatch, gradient, clipping and schedule of each update of a stage after the first `from`.
 * Who iterates looks at an update, calls `apply`, and must not keep its tensors. Whatever is to change how a run learns
 * belongs here, so that training and replay learn alike.
 *
 * @param stage index in the plan
 * @param learner at update `from` of the stage, after {@link Learner.beginStage}
 * @param groupsOf groups of a minibatch whose Gram matrices come with its gradient, which they do not change
 */
export function* updates(
  plan: RunPlan,
  stage: number,
  learner: Learner,
  from: number,
  groupsOf: (minibatch: Minibatch, stageStep: number) => MinibatchGroups | null = () => null,
): Generator<Update, void> {
  const own = plan.stages[stage]!;
  const { configs, firstStep, steps } = own;
  const sizes = groupSizes(own, plan.data[0]!.groups.length);
  for (const { stageStep, rows } of minibatchRows(plan, own, from)) {
    const started = performance.now();
    const minibatch = minibatchOf(plan, own, sizes, rows, stageStep);
    const gradient = learner.gradient(minibatch.inputs, minibatch.chunks, groupsOf(minibatch, stageStep));
    const norms = Array.from(gradient.norm2.dataSync(), Math.sqrt);
    const clipFactors = norms.map((norm, replica) => clipFactor(norm, configs[replica]!.clipNorm));
    const rateFactors = configs.map(({ schedule }) => scheduleFactor(schedule, stageStep, steps));
    const gradientMs = performance.now() - started;
    const apply = (): void => learner.update(gradient.blocks, clipFactors, rateFactors, stageStep);
    const dispose = (): void => {
      gradient.dispose();
      tf.dispose(minibatch.inputs);
    };
    const place = { stage, step: firstStep + stageStep, stageStep };
    try {
      yield { place, minibatch, gradient, norms, clipFactors, rateFactors, gradientMs, apply, dispose };
    } finally {
      dispose();
    }
  }
}

/** `[replica]` rows of the minibatches of a stage after the first `from`, in the order of the sampler. */
function* minibatchRows(
  { data, seeds }: RunPlan,
  { config, sets, steps, stepsPerEpoch }: StagePlan,
  from: number,
): Generator<{ readonly stageStep: number; readonly rows: readonly Int32Array[] }, void> {
  const orders = sets.map((set, replica) => stageOrder(config, set, data[replica]!.groups, seeds[replica]!));
  for (let first = 0; first < steps; first += stepsPerEpoch) {
    // Epochs that are over are drawn too: the streams go on from their end.
    const epoch = orders.map((order) => order.epoch(first / stepsPerEpoch));
    const last = Math.min(steps, first + stepsPerEpoch);
    for (let done = Math.max(first, from); done < last; done++) {
      yield { stageStep: done + 1, rows: epoch.map((batches) => batches[done - first]!) };
    }
  }
}
