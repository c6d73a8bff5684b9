import { performance } from 'node:perf_hooks';
import * as tf from '@tensorflow/tfjs-core';
import type { MinibatchGradient } from '../train/gradient-function.js';
import type { MinibatchGroups } from '../train/groups/division.js';
import type { Learner } from '../train/learner.js';
import { clipFactor, scheduleFactor } from '../train/optimizers/schedule.js';
import { activateInterventions } from './interventions/active.js';
import type { InterventionValues } from './interventions/intervention.js';
import type { StepPlace } from './log/gradient-log.js';
import { groupSizes, minibatchOf, type Minibatch } from './minibatch.js';
import { stageOrder } from './order.js';
import { orderedStage, type RunPlan, type StagePlan } from './plan.js';

/** An update of R replicas, computed and not yet taken. */
export interface Update {
  readonly place: StepPlace;
  readonly minibatch: Minibatch;
  /** Of the minibatch, before interventions and clipping. */
  readonly gradient: MinibatchGradient;
  /** `[replica]` norm of it. */
  readonly norms: readonly number[];
  /** `[replica]` norm of the gradient that is trained with, before clipping: the same where no intervention changed it. */
  readonly changedNorms: readonly number[];
  /** What the stage's interventions did. */
  readonly interventions: InterventionValues;
  /** `[replica]` factor of clipping on the gradient that is trained with. */
  readonly clipFactors: readonly number[];
  /** `[replica]` factor of the schedule on the full learning rates. */
  readonly rateFactors: readonly number[];
  /** What the minibatch, its gradient and the interventions took, ms. */
  readonly gradientMs: number;
  /** Updates the parameters. Without it they stay as they are. */
  apply(): void;
  /** Frees the minibatch and its gradient; done before the next update in any case. */
  dispose(): void;
}

/**
 * The one training step: minibatch, gradient, interventions, clipping and schedule of each update of a stage after the first
 * `from`; before the first one, what interventions do at the start of the stage.
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
  const { configs, firstStep, plannedSteps } = own;
  const sizes = groupSizes(own, plan.data[0]!.groups.length);
  const active = activateInterventions({ plan, stage: own, learner });
  try {
    let begun = from === 0 ? active.begin() : {};
    for (const { stageStep, rows } of minibatchRows(plan, own, from)) {
      const started = performance.now();
      const place = { stage, step: firstStep + stageStep, stageStep };
      const minibatch = minibatchOf(plan, own, sizes, rows, stageStep);
      const groups = groupsOf(minibatch, stageStep);
      const gradient = learner.gradient(minibatch.inputs, minibatch.chunks, groups, own.config.microBatch);
      const norms = Array.from(gradient.norm2.dataSync(), Math.sqrt);
      const change = active.change({ place, minibatch, gradient });
      const changedNorms = change?.norms ?? norms;
      const interventions = { ...begun, ...change?.values };
      begun = {};
      const clipFactors = changedNorms.map((norm, replica) => clipFactor(norm, configs[replica]!.clipNorm));
      const rateFactors = configs.map(({ schedule }) => scheduleFactor(schedule, stageStep, plannedSteps));
      const gradientMs = performance.now() - started;
      const apply = (): void =>
        learner.update(change?.blocks ?? gradient.blocks, clipFactors, rateFactors, stageStep);
      const dispose = (): void => {
        change?.dispose();
        gradient.dispose();
        tf.dispose(minibatch.inputs);
      };
      const computed = { place, minibatch, gradient, norms, changedNorms, interventions, gradientMs };
      try {
        yield { ...computed, clipFactors, rateFactors, apply, dispose };
      } finally {
        dispose();
      }
    }
  } finally {
    active.dispose();
  }
}

/** `[replica]` rows of the minibatches of a stage after the first `from`, in the order of the sampler. */
function* minibatchRows(
  plan: RunPlan,
  stage: StagePlan,
  from: number,
): Generator<{ readonly stageStep: number; readonly rows: readonly Int32Array[] }, void> {
  const { sets, steps, stepsPerEpoch } = stage;
  const orders = sets.map((_, replica) => stageOrder(orderedStage(plan, stage, replica)));
  for (let first = 0; first < steps; first += stepsPerEpoch) {
    const last = Math.min(steps, first + stepsPerEpoch);
    const isOver = last <= from;
    if (isOver && orders.every((order) => order.isByPosition)) continue;
    // Other epochs that are over are drawn too: the streams go on from their end.
    const epoch = orders.map((order) =>
      isOver && order.isByPosition ? [] : order.epoch(first / stepsPerEpoch),
    );
    for (let done = Math.max(first, from); done < last; done++) {
      yield { stageStep: done + 1, rows: epoch.map((batches) => batches[done - first]!) };
    }
  }
}
