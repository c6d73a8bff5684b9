import type * as tf from '@tensorflow/tfjs-core';
import type { InterventionColumn, InterventionColumnSet } from '../../store/tables/interventions.js';
import type { MinibatchGradient } from '../../train/gradient-function.js';
import type { Learner } from '../../train/learner.js';
import type { Model } from '../../train/models/model.js';
import type { RunConfig, StageConfig } from '../config.js';
import type { StepPlace } from '../log/gradient-log.js';
import type { Minibatch } from '../minibatch.js';
import type { RunPlan, StagePlan } from '../plan.js';
import type { PlannedCost, PlannedStage } from '../planned-cost.js';

/** Key of a stage under which an intervention is set, and of its columns. */
export type InterventionKey = Exclude<InterventionColumnSet, 'gradient'>;

/** `[replica]` values of columns of the table `steps`; null where nothing was done or measured. */
export type InterventionValues = {
  readonly [Column in InterventionColumn]?: readonly (number | null)[];
};

/** What an intervention acts in: one stage of R replicas. */
export interface InterventionContext {
  readonly plan: RunPlan;
  readonly stage: StagePlan;
  readonly learner: Learner;
}

/** A gradient that is about to become an update. */
export interface ComingGradient {
  readonly place: StepPlace;
  readonly minibatch: Minibatch;
  /** Of the minibatch, as no intervention has touched it. */
  readonly gradient: MinibatchGradient;
  /** Blocks as the interventions before left them, `[replica, size]`, before clipping. */
  readonly blocks: readonly tf.Tensor2D[];
}

/** What an intervention makes of a gradient. */
export interface ChangedGradient {
  /** Blocks, `[replica, size]`: new tensors, or those that were given; whoever asked disposes of new ones. */
  readonly blocks: readonly tf.Tensor2D[];
  readonly values: InterventionValues;
}

/** An intervention at work in a stage. */
export interface ActiveIntervention {
  /** At the start of the stage, before its first minibatch; what it returns is logged with the first update. */
  readonly begin?: () => InterventionValues;
  /** Between the gradient of a minibatch and clipping. */
  readonly change?: (coming: ComingGradient) => ChangedGradient;
  readonly dispose?: () => void;
}

/** Where in a config an intervention is set. */
export interface InterventionPlace {
  readonly config: RunConfig;
  /** Index of the stage. */
  readonly stage: number;
  readonly cost: PlannedCost;
}

/**
 * A change of how a stage trains, set by a key of the stage. It must be a function of config, seed, parameters and position:
 * whatever it draws comes from streams named by stage and update, so that a run that is resumed or replayed learns what
 * the uninterrupted one did, bit for bit.
 */
export interface Intervention {
  readonly key: InterventionKey;
  /** Whether it changes gradients, and not only the start of a stage. */
  readonly changesGradient: boolean;
  /** Why it cannot be set as it is beside the other keys of its stage: one line that begins with a key, or null. */
  readonly problem: (stage: StageConfig) => string | null;
  /** Why it would do nothing, or cannot be done, with the data and the model of the run: the same, or null. */
  readonly planProblem: (place: InterventionPlace) => string | null;
  /** Why it cannot be with the rows of the stage: the same, or null. */
  readonly dataProblem?: (stage: StagePlan, plan: Pick<RunPlan, 'design' | 'data'>) => string | null;
  /** Memory that it takes at one replica's update beside what plain training holds, bytes; nothing by default. */
  readonly bytes?: (stage: StageConfig, planned: PlannedStage, model: Model) => number;
  /** Sets it to work; null in a stage that does not have it. */
  readonly activate: (context: InterventionContext) => ActiveIntervention | null;
}
