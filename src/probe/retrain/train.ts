import { setImmediate } from 'node:timers/promises';
import * as tf from '@tensorflow/tfjs-core';
import { updatingOf } from '../../run/learning-rates.js';
import { stageOrder } from '../../run/order.js';
import type { RunPlan, StagePlan } from '../../run/plan.js';
import { updates } from '../../run/updates.js';
import { Learner } from '../../train/learner.js';
import type { MinibatchOrder } from '../../train/sampler.js';
import { createAsker, type QuestionOutcome } from './questions.js';
import { changedSet, keptRows, orderSeed, type Retraining } from './retrainings.js';
import type { RetrainedRun, RetrainTools } from './tools.js';

/** Longest time without giving signals and timers a chance, ms. */
const breathEvery = 50;

/**
 * Trains the stage of a run again with each of some changes, as replicas of one computation, and asks the questions at
 * their end. The retrainings must have equally many rows.
 *
 * @param onUpdate told after every update how many of the stage's are done; false: stop
 * @param look gets the learner at the end of the stage
 * @returns null when it was stopped
 */
export async function retrain(
  run: RetrainedRun,
  retrainings: readonly Retraining[],
  tools: RetrainTools,
  onUpdate: (done: number, all: number) => boolean,
  look: (learner: Learner) => void = () => {},
): Promise<QuestionOutcome[] | null> {
  const { population, start } = run;
  const plan = planOf(run, retrainings);
  const own = plan.stages[population.stage]!;
  const learner = new Learner(plan.model, retrainings.length, plan.config.loss.normalisation, (blocks) =>
    tools.stepsOf(run).of(run, blocks),
  );
  try {
    learner.load(retrainings.map(() => start.parameters));
    learner.beginStage(updatingOf(own));
    let breathed = performance.now();
    for (const update of updates(plan, population.stage, learner, 0)) {
      update.apply();
      update.dispose();
      if (!onUpdate(update.place.stageStep, own.steps)) return null;
      if (performance.now() - breathed < breathEvery) continue;
      await setImmediate();
      breathed = performance.now();
    }
    look(learner);
    const ask = createAsker(run.plan, population, tools.evaluators.of(run, learner.blocks));
    const values = learner.read();
    const outcomes = ask(values, retrainings.length);
    tf.dispose(values);
    return outcomes;
  } finally {
    learner.dispose();
  }
}

/** Updates of a retraining's stage. */
export function updatesOf({ plan, population }: RetrainedRun, { order, kept }: Retraining): number {
  const original = plan.stages[population.stage]!;
  const { config, sets } = original;
  const set = kept === null ? sets[0]! : keptRows(sets[0]!, kept);
  const { groups } = plan.data[0]!;
  const own = stageOrder({ config, set, groups, seed: orderSeed(plan.seeds[0]!, order) });
  return lengthOf(original, own).steps;
}

/** Updates over as many epochs as the stage had, and was planned to have. */
function lengthOf(
  original: StagePlan,
  { stepsPerEpoch }: MinibatchOrder,
): Pick<StagePlan, 'steps' | 'plannedSteps'> {
  const { config, steps, plannedSteps } = original;
  const epochsOf = (updates: number): number =>
    config.stop === null ? config.epochs : updates / original.stepsPerEpoch;
  return {
    steps: Math.round(epochsOf(steps) * stepsPerEpoch),
    plannedSteps: Math.round(epochsOf(plannedSteps) * stepsPerEpoch),
  };
}

/** The plan of a run of one seed with a replica for each retraining; of its stages, that one alone is meant to be trained. */
function planOf({ plan, population }: RetrainedRun, retrainings: readonly Retraining[]): RunPlan {
  const { stage, definitions } = population;
  const data = plan.data[0]!;
  const rowsOf = new Map(definitions.map(({ variable, rows }) => [variable, rows]));
  const original = plan.stages[stage]!;
  const sets = retrainings.map((retraining) =>
    changedSet(original.sets[0]!, retraining, rowsOf, (variable, slot, buffers) =>
      data.counterfactuals!.fill('tag_swap', variable, slot, buffers),
    ),
  );
  const seeds = retrainings.map(({ order }) => orderSeed(plan.seeds[0]!, order));
  const order = stageOrder({
    config: original.config,
    set: sets[0]!,
    groups: data.groups,
    seed: seeds[0]!,
  });
  const each = <T>(value: T): T[] => new Array<T>(retrainings.length).fill(value);
  const own = {
    ...original,
    configs: each(original.config),
    sets,
    stepsPerEpoch: order.stepsPerEpoch,
    ...lengthOf(original, order),
  };
  return {
    ...plan,
    configs: each(plan.config),
    seeds,
    ends: each(plan.ends[0]!),
    data: each(data),
    stages: plan.stages.map((other, i) => (i === stage ? own : other)),
  };
}
