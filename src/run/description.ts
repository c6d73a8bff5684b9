import path from 'node:path';
import type { ExampleSet } from '../../data/experiment.js';
import { allocateFields } from '../../data/fields.js';
import { createStream } from '../../data/random/streams.js';
import { rowProbabilities } from '../../data/samplers.js';
import type { Dimensions } from '../store/columns.js';
import { configuredSampling, examplesPerBatch } from './configured-sampling.js';
import { hashConfig } from '../store/config-hash.js';
import type { NewRun } from '../store/run-info.js';
import type { RunMetadata } from '../store/table-schema.js';
import { sketchFamily } from '../train/groups/sketch.js';
import { columnSetsOf } from './interventions/registry.js';
import { learningRates } from './learning-rates.js';
import { activeComposition, stagePairs, type OrderedStage } from './order.js';
import { groupCounts, orderedStage, type RunPlan, type StagePlan } from './plan.js';
import { stagePlaces, totalSteps, type StageEnd } from './stage-ends.js';
import { runId, type RunRequest } from './request.js';
import { versionsHere } from './provenance.js';
import { describeEngine } from './same-engine.js';

/** What `run.json` says of a replica's run. */
export function describeRun(
  plan: RunPlan,
  replica: number,
  siblings: { readonly group: string; readonly names: readonly string[] },
  request: RunRequest,
): NewRun {
  const { data, design, seeds, model } = plan;
  const config = plan.configs[replica]!;
  let offset = 0;
  const parameters = model.parameters.map(({ name, shape }) => {
    const length = shape.reduce((product, size) => product * size, 1);
    const own = { tensor: name, shape: [...shape], offset, length };
    offset += length;
    return own;
  });
  return {
    experiment: config.experiment,
    name: config.name,
    seed: seeds[replica]!,
    versions: versionsHere(request),
    engine: describeEngine(request.engine),
    dataHash: data[replica]!.hash,
    model: { ...config.model },
    loss: { ...config.loss },
    ...(model.source === undefined
      ? {}
      : { modelFolder: { path: model.source.folder, sha256: model.source.hash() } }),
    parameters,
    groups: [...data[replica]!.groups],
    design,
    stages: describeStages(plan, replica),
    siblings: [...siblings.names],
    group: siblings.group,
    configHash: hashConfig(config),
    ...(plan.exchangesTags ? { exchangeOf: runId(config.name, seeds[replica]!) } : {}),
    ...(plan.pretrained === null
      ? {}
      : { pretrained: { folder: path.basename(plan.pretrained.folder), sha256: plan.pretrained.sha256 } }),
    ...(request.sweep === undefined ? {} : { sweep: request.sweep }),
    command: [...request.command],
    stepsTotal: totalSteps(plan.stages, plan.ends[replica]!),
  };
}

/**
 * What `run.json` says of the stages of a replica's run.
 *
 * @param ends of its first stages, as far as they are known
 */
export function describeStages(
  plan: RunPlan,
  replica: number,
  ends: readonly StageEnd[] = plan.ends[replica]!,
): NewRun['stages'] {
  const { stages } = plan;
  const places = stagePlaces(stages, ends);
  const mayEnd = stages.some(({ config }) => config.stop !== null);
  return stages.map((stage, i) => {
    const { steps, ...end } = ends[i] ?? { steps: places[i]!.steps };
    return {
      ...describeStage(plan, { ...stage, firstStep: places[i]!.firstStep, steps }, replica),
      ...(mayEnd && 'reason' in end ? { end } : {}),
    };
  });
}

function describeStage(plan: RunPlan, stage: StagePlan, replica: number): NewRun['stages'][number] {
  const { model } = plan;
  const { firstStep, steps, plannedSteps, stepsPerEpoch } = stage;
  const ordered = orderedStage(plan, stage, replica);
  const { set, groups } = ordered;
  const config = stage.configs[replica]!;
  const { name, trainOn, sampler, optimizer, clipNorm } = config;
  const batchSize = examplesPerBatch(config.batchSize, set.size);
  const rateOf = learningRates(config);
  const sum2 = rowProbabilities(set, sampler).reduce((sum, probability) => sum + probability ** 2, 0);
  return {
    name,
    trainOn,
    firstStep,
    steps,
    ...(config.stop === null ? {} : { plannedSteps }),
    stepsPerEpoch,
    batchSize,
    effectiveBatchSize: configuredSampling(config, set.size).batchSize,
    examples: set.size,
    ...(set.replay === undefined ? {} : { replay: set.replay }),
    sampler,
    ...describePairs(ordered),
    effectiveExamples: 1 / sum2,
    freshNoise: model.noise.length > 0 || differsBetweenSights(set),
    optimizer: optimizer.kind,
    learningRate: optimizer.learningRate,
    learningRates: Object.fromEntries(model.parameters.map((own) => [own.name, rateOf(own.name)])),
    clipNorm,
    groups: [...groupCounts(set, groups)],
  };
}

function describePairs(stage: OrderedStage): Pick<NewRun['stages'][number], 'pairs' | 'composition'> {
  const composition = activeComposition(stage.config);
  const { composed, ...pairs } = stagePairs(stage);
  return {
    pairs,
    composition: composed === null || composition === null ? null : { ...composition, ...composed },
  };
}

/** Whether a row of a set draws random numbers when it is looked at. */
function differsBetweenSights(set: ExampleSet): boolean {
  let asked = false;
  set.fill([0], 0, allocateFields(set.fields, 1), () => {
    asked = true;
    return createStream(0, 'sight');
  });
  return asked;
}

/** Dimensions of the tables of a plan's runs. */
export function dimensionsOf({ config, data, model }: RunPlan): Dimensions {
  const { tests, groups } = data[0]!;
  return {
    stages: config.stages.map(({ name }) => name),
    groups,
    tensors: model.parameters.map(({ name }) => name),
    testSets: tests.map(({ name }) => name),
    subsets: [...new Set(tests.map(({ subset }) => subset))],
    sketchSize: config.log.sketchSize,
    interventions: columnSetsOf(config),
  };
}

/** What the schema metadata of a replica's tables say. */
export function metadataOf(
  { configs, seeds, data }: RunPlan,
  replica: number,
  request: Pick<RunRequest, 'engine'>,
): RunMetadata {
  const config = configs[replica]!;
  return {
    experiment: config.experiment,
    name: config.name,
    seed: String(seeds[replica]),
    engine: `${request.engine.name} (${request.engine.version})`,
    data_hash: data[replica]!.hash,
    loss_target: config.loss.target,
    loss_reduction: `mean over ${config.loss.normalisation}s of the minibatch`,
    include_padding: String(config.loss.includePadding),
    sketch: JSON.stringify({
      family: sketchFamily,
      seed: config.log.sketchSeed,
      size: config.log.sketchSize,
    }),
  };
}
