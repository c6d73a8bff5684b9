import type { Design } from '../../data/design.js';
import { UserError } from '../../data/errors.js';
import type { ExampleSet, ExperimentData } from '../../data/experiment.js';
import { experiments } from '../../data/registry.js';
import { withReplay } from '../../data/replay.js';
import { stageRoles, type StageRoles } from '../../data/stage-roles.js';
import type { Model } from '../train/models/model.js';
import { buildModel } from '../train/models/registry.js';
import { exchangedStage, type RunConfig, type StageConfig } from './config.js';
import { stageOrder, type OrderedStage } from './order.js';
import { interventions } from './interventions/registry.js';
import type { Pretrained } from './pretraining.js';
import { plannedCost, plannedSteps, refuseImpossible, type PlannedCost } from './planned-cost.js';
import { sameShapes } from './same-shapes.js';
import { stagePlaces, totalSteps, type StageEnd } from './stage-ends.js';
import { refuseWithoutEffect } from './without-effect.js';

/** A stage of training, for R replicas. */
export interface StagePlan {
  /** What the replicas share of it: that of the first. */
  readonly config: StageConfig;
  /** Of each replica; they differ at most as {@link sameShapes} says. */
  readonly configs: readonly StageConfig[];
  /** Training rows of each replica. */
  readonly sets: readonly ExampleSet[];
  readonly stepsPerEpoch: number;
  /** Updates that it may have, and those that schedules and checkpoints are planned by. */
  readonly plannedSteps: number;
  /** The same, or those that it had, where the plan is of a run that is past it ({@link withKnownEnds}). */
  readonly steps: number;
  /** Updates before this stage, of those. */
  readonly firstStep: number;
}

/** A run by what it trains. */
export interface PlannedRun {
  readonly config: RunConfig;
  readonly seed: number;
}

/** Everything runs need that train together, resolved: R seeds of one config, or of configs of the same shapes. */
export interface RunPlan {
  /** What the replicas share: the config of the first. */
  readonly config: RunConfig;
  /** Of each replica; they differ at most as {@link sameShapes} says. */
  readonly configs: readonly RunConfig[];
  readonly seeds: readonly number[];
  /** Whether the tags of the two sets of new variables are exchanged in the data. */
  readonly exchangesTags: boolean;
  /** Of each replica, ends of its first stages as far as they are known when it is planned. */
  readonly ends: readonly (readonly StageEnd[])[];
  readonly data: readonly ExperimentData[];
  /** Subsets and their roles, as the experiment declares them. */
  readonly design: Design;
  readonly model: Model;
  /** What the runs start with instead of initial parameters, as far as it has them; null for runs that are not started here. */
  readonly pretrained: Pretrained | null;
  readonly stages: readonly StagePlan[];
  /** Updates of all stages. */
  readonly totalSteps: number;
  /** What one replica takes. */
  readonly cost: PlannedCost;
}

/**
 * Cost of one replica of a config, by arithmetic alone. Throws a UserError, one line, for a config that cannot be, costs
 * more than any machine has, or has a setting that would do nothing: before anything is built, written or removed.
 */
export function checkedCost(config: RunConfig): PlannedCost {
  const cost = plannedCost(config);
  refuseImpossible(cost);
  refuseWithoutEffect(config, cost);
  return cost;
}

/**
 * Builds the data of every run and the model. Throws a UserError when the parts of a config do not fit, or when the runs cannot
 * train together.
 *
 * @param runs may be past some stages
 * @param exchangesTags plans the exchanged halves of the runs
 */
export function planRuns(
  runs: readonly (PlannedRun & { readonly ends?: readonly StageEnd[] })[],
  exchangesTags = false,
): RunPlan {
  const configs = runs.map(({ config }) => config);
  const seeds = runs.map(({ seed }) => seed);
  const [config] = configs;
  if (config === undefined) throw new UserError('no seeds to run');
  const experiment = experiments.get(config.experiment);
  if (experiment === undefined) throw new UserError(`unknown experiment ${config.experiment}`);
  const difference = sameShapes(configs);
  if (difference !== null) throw new UserError(`runs cannot train as one computation: ${difference}`);
  const [cost] = [...new Set(configs)].map(checkedCost);
  const built = new Map<number, ExperimentData>();
  const data = seeds.map((seed) => {
    const own =
      built.get(seed) ?? experiment.build(config.data, config.loss, seed, { exchangeTags: exchangesTags });
    built.set(seed, own);
    return own;
  });
  const first = data[0]!;
  requireSameShapes(data, seeds);
  const model = buildModel(config.model, { shape: first.shape, hidePadding: config.loss.includePadding });
  const stages: StagePlan[] = [];
  let firstStep = 0;
  for (const [index, stage] of config.stages.entries()) {
    const sets = data.map((own) => trainingSet(own, stage));
    const size = sets[0]!.size;
    if (sets.some((set) => set.size !== size)) {
      throw new UserError(
        `stage ${stage.name}: the seeds have training sets of different sizes; run them one by one`,
      );
    }
    const own = configs.map(({ stages: all }) => all[index]!);
    const orders = sets.map((_, replica) =>
      stageOrder(orderedStage({ data, seeds }, { configs: own, sets }, replica)),
    );
    const perEpoch = orders[0]!.stepsPerEpoch;
    const steps = plannedSteps(stage, perEpoch);
    const planned = {
      config: stage,
      configs: own,
      sets,
      stepsPerEpoch: perEpoch,
      plannedSteps: steps,
      steps,
      firstStep,
    };
    for (const { key, dataProblem } of interventions) {
      const problem = dataProblem?.(planned, { design: experiment.design, data }) ?? null;
      if (problem !== null) throw new UserError(`stage ${stage.name}: ${key}.${problem}`);
    }
    stages.push(planned);
    firstStep += steps;
  }
  const { design } = experiment;
  return {
    config,
    configs,
    seeds,
    exchangesTags,
    ends: runs.map(({ ends }) => ends ?? []),
    data,
    design,
    model,
    pretrained: null,
    stages,
    totalSteps: firstStep,
    cost: cost!,
  };
}

/** Seeds whose texts are of different lengths can be no one computation. */
function requireSameShapes(data: readonly ExperimentData[], seeds: readonly number[]): void {
  const of = ({ shape }: ExperimentData): string => JSON.stringify(shape);
  const other = data.findIndex((own) => of(own) !== of(data[0]!));
  if (other < 0) return;
  throw new UserError(
    `seeds ${seeds[0]} and ${seeds[other]} have texts of different lengths (${lengthsOf(data[0]!)} and ${lengthsOf(data[other]!)}); ` +
      'set data.blockSize, or run them one by one',
  );
}

function lengthsOf({ shape }: ExperimentData): string {
  if (shape.modality !== 'text') return JSON.stringify(shape);
  return `${shape.inputLength ?? shape.blockSize} tokens, ${shape.queries} asked`;
}

/** The rows that a stage trains on, those that it replays behind them. */
function trainingSet(data: ExperimentData, { trainOn, replay }: StageConfig): ExampleSet {
  const rows = data.training(trainOn);
  return replay === null ? rows : withReplay(rows, data.training('facts'), replay);
}

/** The plan of one run as it went: stages that have ended have the updates that they had. */
export function withKnownEnds(plan: RunPlan): RunPlan {
  const places = stagePlaces(plan.stages, plan.ends[0]!);
  return {
    ...plan,
    stages: plan.stages.map((stage, i) => ({ ...stage, ...places[i]! })),
    totalSteps: totalSteps(plan.stages, plan.ends[0]!),
  };
}

/** What the order of a replica's stage depends on. */
export function orderedStage(
  { data, seeds }: Pick<RunPlan, 'data' | 'seeds'>,
  { configs, sets }: Pick<StagePlan, 'configs' | 'sets'>,
  replica: number,
): OrderedStage {
  return {
    config: configs[replica]!,
    set: sets[replica]!,
    groups: data[replica]!.groups,
    seed: seeds[replica]!,
  };
}

/** Updates of a run before the first one that it takes itself: none, or those before the stage that is exchanged. */
export function startStep({ config, stages, ends, exchangesTags }: RunPlan, replica: number): number {
  return exchangesTags ? stagePlaces(stages, ends[replica]!)[exchangedStage(config)]!.firstStep : 0;
}

/**
 * Steps at which a run keeps a checkpoint: `checkpoint.perStage` of every stage, equally spaced over its planned updates as
 * far as it comes, and its end.
 *
 * @param ends of its first stages, as far as they are known
 */
export function keptCheckpoints(
  { config, stages }: Pick<RunPlan, 'config' | 'stages'>,
  ends: readonly StageEnd[],
): ReadonlySet<number> {
  const { perStage } = config.checkpoint;
  const places = stagePlaces(stages, ends);
  const kept = stages.flatMap(({ plannedSteps: planned }, i) => {
    const { firstStep, steps } = places[i]!;
    const spaced = Array.from({ length: perStage }, (_, k) => Math.round((planned * (k + 1)) / perStage));
    return [...spaced.filter((step) => step < steps), steps].map((step) => firstStep + step);
  });
  return new Set(kept.filter((step) => step > 0));
}

/** What the stages of a plan train, see {@link stageRoles}. */
export function rolesOf({ data, design, stages }: Pick<RunPlan, 'data' | 'design' | 'stages'>): StageRoles {
  const { groups } = data[0]!;
  return stageRoles({
    design,
    stages: stages.map(({ config, sets }) => ({
      trainOn: config.trainOn,
      groups: groupCounts(sets[0]!, groups),
    })),
  });
}

/** Index of the stage with questions; of the first stage where none trains any. */
export function questionStageOf(plan: Pick<RunPlan, 'data' | 'design' | 'stages'>): number {
  return rolesOf(plan).questions ?? 0;
}

/** Examples of each group that a training set has, in the order of the groups. */
export function groupCounts(
  { group }: Pick<ExampleSet, 'group'>,
  groups: readonly string[],
): { readonly group: string; readonly examples: number }[] {
  const counts = new Int32Array(groups.length);
  for (const own of group) if (own >= 0) counts[own]!++;
  return groups.flatMap((name, i) => (counts[i]! > 0 ? [{ group: name, examples: counts[i]! }] : []));
}
