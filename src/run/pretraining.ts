import path from 'node:path';
import { stringifyYaml } from '../../data/yaml.js';
import { BusyError, UserError } from '../../data/errors.js';
import { experiments } from '../../data/registry.js';
import { hashConfig } from '../store/config-hash.js';
import type { NamedTensor } from '../store/safetensors.js';
import type { Model } from '../train/models/model.js';
import { textModelAlone } from '../train/models/registry.js';
import { checkpointSteps, parametersHash, readCheckpoint } from './checkpoint.js';
import { stageOf, type RunConfig } from './config.js';
import { folderState } from './folder-state.js';
import { runFolderOf, runId, type RunRequest, type RunsEnd } from './request.js';
import type { WantedRun } from './start.js';

/** Name of the stage of a pretraining run. */
const pretrainingStage = 'pretrain';

/** The parameters that runs start with instead of initial ones. */
export interface Pretrained {
  /** The run that trained them. */
  readonly folder: string;
  /** SHA-256 of their names, shapes and values. */
  readonly sha256: string;
  readonly parameters: readonly NamedTensor[];
}

/**
 * The run that pretrains the model of a config, or null where none does: an ordinary run on `facts`, of the same model without
 * the tables of variables and tags. Its name has the hash of all that it depends on, so that every config with the same
 * facts, model and pretraining shares it.
 */
export function pretrainingRun(config: RunConfig): WantedRun | null {
  const { pretrain } = config;
  if (pretrain === null) return null;
  const experiment = experiments.get(config.experiment);
  if (experiment?.pretrainingData === undefined)
    throw new UserError(
      `pretrain: experiment ${config.experiment} has no facts to pretrain on; set it to null`,
    );
  const { seed, ...training } = pretrain;
  const trained = {
    ...config,
    data: experiment.pretrainingData(config.data),
    model: textModelAlone(config.model),
    stages: [stageOf({ ...training, name: pretrainingStage, trainOn: 'facts' })],
    pretrain: null,
    tagExchange: false,
    description: 'a model pretrained on facts',
    log: { ...config.log, tier: 'norms' as const },
    checkpoint: { ...config.checkpoint, keep: 'stages' as const, perStage: 1 },
  };
  const { data, loss, model, stages } = trained;
  const content = { experiment: config.experiment, data, loss, model, stages };
  const own: RunConfig = { ...trained, name: `pretrained-${hashConfig(content).slice(0, 8)}` };
  return { config: own, resolved: stringifyYaml(own), seed };
}

/**
 * Trains the pretraining run of a config where it is not complete, and reads what it came to.
 *
 * @param start trains runs as `startTogether` does
 * @returns null where the config has no pretraining, `interrupted` where that was
 * @throws UserError when it fails, or when its parameters are not those of the model; a BusyError when another process
 *   trains it
 */
export async function pretrainedFor(
  config: RunConfig,
  model: Model,
  request: RunRequest,
  start: (runs: readonly WantedRun[], request: RunRequest) => Promise<RunsEnd>,
): Promise<Pretrained | 'interrupted' | null> {
  const run = pretrainingRun(config);
  if (run === null) return null;
  const folder = runFolderOf(request.root, run.config, run.seed);
  if (folderState(folder, request.environment).kind === 'complete') {
    request.onMessage(`starting from the pretrained model ${folder}`);
    return read(folder, model);
  }
  request.onMessage(`pretraining the model, once for all runs that start from it: ${folder}`);
  const { end, failed, busy } = await start([run], { ...request, existing: 'repair' });
  if (end === 'interrupted') return 'interrupted';
  const [held] = busy;
  if (held !== undefined) throw new BusyError(held.reason, folder);
  const [failure] = failed;
  if (failure !== undefined) throw new UserError(`${folder}: pretraining failed: ${failure.reason}`);
  return read(folder, model);
}

/**
 * What the run at `folder` started with, from the pretraining run beside it; null where its config has no pretraining. Throws a
 * UserError where that run is not there or not complete.
 */
export function pretrainedBeside(folder: string, config: RunConfig, model: Model): Pretrained | null {
  const run = pretrainingRun(config);
  if (run === null) return null;
  const beside = path.join(path.dirname(folder), runId(run.config.name, run.seed));
  if (folderState(beside).kind !== 'complete') {
    throw new UserError(
      `${folder}: starts from the pretrained model ${beside}, which is not there or not complete; gradscope run with its config trains it`,
    );
  }
  return read(beside, model);
}

function read(folder: string, model: Model): Pretrained {
  const { parameters } = readCheckpoint(folder, checkpointSteps(folder).at(-1)!);
  requireFitting(folder, model, parameters);
  return { folder, sha256: parametersHash(parameters), parameters };
}

/** Roles of parameters that a pretrained model need not have: they are about this experiment alone. */
const fresh = new Set(['variable', 'tag']);

function requireFitting(folder: string, model: Model, parameters: readonly NamedTensor[]): void {
  const shapes = new Map(parameters.map(({ name, shape }) => [name, shape.join(' x ')]));
  for (const { name, shape, role } of model.parameters) {
    const own = shapes.get(name);
    shapes.delete(name);
    if (own === shape.join(' x ') || (own === undefined && fresh.has(role))) continue;
    throw new UserError(
      own === undefined
        ? `${folder}: the pretrained model has no ${name}`
        : `${folder}: ${name} is ${own} in the pretrained model and ${shape.join(' x ')} here`,
    );
  }
  const [extra] = shapes.keys();
  if (extra !== undefined)
    throw new UserError(`${folder}: the pretrained model has ${extra}, which this one has not`);
}
