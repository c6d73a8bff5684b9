import { UserError } from '../../data/errors.js';
import type { NamedTensor } from '../store/safetensors.js';
import { optimizerRule } from '../train/optimizers/registry.js';
import { checkpointPath } from '../store/checkpoint-path.js';
import { readCheckpoint, type Checkpoint } from './checkpoint.js';
import type { RunPlan } from './plan.js';
import { stagePlaces } from './stage-ends.js';

/**
 * Reads the checkpoint of a step of a planned run. Throws a UserError naming the file when it is damaged or is not one
 * of this run: another seed, config or data, a place that the plan does not have, other tensors.
 *
 * @param replica number of the run among the plan's seeds
 */
export function readFittingCheckpoint(
  plan: RunPlan,
  replica: number,
  folder: string,
  step: number,
  configHash: string | undefined,
): Checkpoint {
  const checkpoint = readCheckpoint(folder, step);
  const misfit =
    originMisfit(plan, replica, checkpoint, configHash) ??
    placeMisfit(plan, checkpoint) ??
    tensorMisfit('parameter', checkpoint.parameters, parameterShapes(plan), (shape) => `[${shape.join()}]`) ??
    // The moments of a matrix with one row or column have been kept in either shape.
    tensorMisfit('optimizer state', checkpoint.optimizer, optimizerShapes(plan, replica, checkpoint), sizeOf);
  if (misfit === null) return checkpoint;
  throw new UserError(`${checkpointPath(folder, step)}: is no checkpoint of this run: ${misfit}`);
}

/** @param configHash of run.json */
function originMisfit(
  { seeds, data }: RunPlan,
  replica: number,
  { seed, origin }: Checkpoint,
  configHash: string | undefined,
): string | null {
  if (seed !== seeds[replica]) return `it is of seed ${seed}, the run of seed ${seeds[replica]}`;
  if (origin === null) return null;
  if (configHash !== undefined && origin.configHash !== configHash)
    return 'the hash of the config in it is not that of run.json';
  return origin.dataHash === data[replica]!.hash ? null : 'it was trained on other data';
}

function placeMisfit({ stages }: RunPlan, { position, ends }: Checkpoint): string | null {
  const stage = stages[position.stage];
  const firstStep = stagePlaces(stages, ends)[position.stage]?.firstStep;
  if (stage === undefined) return `it is of stage ${position.stage + 1} of ${stages.length}`;
  const { stageStep, step } = position;
  if (stageStep <= stage.plannedSteps && firstStep! + stageStep === step) return null;
  return `step ${stageStep} of stage ${stage.config.name} is not step ${step} of the run`;
}

function parameterShapes({ model }: RunPlan): ReadonlyMap<string, readonly number[]> {
  return new Map(model.parameters.map(({ name, shape }) => [name, shape]));
}

/** Shapes of the state that the optimizer of a checkpoint's stage keeps of each parameter. */
function optimizerShapes(
  { model, stages }: RunPlan,
  replica: number,
  { position }: Checkpoint,
): ReadonlyMap<string, readonly number[]> {
  const rule = optimizerRule(stages[position.stage]!.configs[replica]!.optimizer);
  return new Map(
    model.parameters.flatMap(({ name, shape }) =>
      Object.entries(rule.slots([1, ...shape])).map(([slot, own]) => [`${slot}/${name}`, own.slice(1)]),
    ),
  );
}

function tensorMisfit(
  what: string,
  tensors: readonly NamedTensor[],
  expected: ReadonlyMap<string, readonly number[]>,
  extent: (shape: readonly number[]) => string,
): string | null {
  const there = new Map(tensors.map(({ name, shape }) => [name, shape]));
  for (const [name, shape] of expected) {
    const own = there.get(name);
    if (own === undefined) return `the ${what} ${name} is missing`;
    if (extent(own) !== extent(shape)) return `the ${what} ${name} is ${extent(own)}, not ${extent(shape)}`;
  }
  const unknown = tensors.find(({ name }) => !expected.has(name));
  return unknown === undefined ? null : `the model has no ${what} ${unknown.name}`;
}

function sizeOf(shape: readonly number[]): string {
  return `${shape.reduce((product, length) => product * length, 1)} numbers`;
}
