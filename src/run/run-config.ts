import { UserError } from '../../data/errors.js';
import { changedConfig, configHashOf, hashConfig } from '../store/config-hash.js';
import { configPath } from '../store/run-folder.js';
import type { RunInfo } from '../store/run-info.js';
import type { RunConfig } from './config.js';
import { describeStages } from './description.js';
import { loadKnownConfig } from './experiment-module.js';
import type { RunPlan } from './plan.js';

/** A run's config as its folder has it. */
export interface StoredConfig {
  readonly config: RunConfig;
  /** The same as text, with every default written out. */
  readonly resolved: string;
  /** {@link hashConfig} of the config. */
  readonly hash: string;
}

/**
 * Reads config.yaml of a run folder, whose experiment must be known (`loadExperimentsOf`). Throws a UserError when it is
 * missing or no config.
 */
export function readStoredConfig(folder: string): StoredConfig {
  const { config, resolved } = loadKnownConfig(configPath(folder));
  return { config, resolved, hash: hashConfig(config) };
}

/**
 * Throws a UserError when a plan made from a run's config.yaml is not the one that the run began with: a changed
 * config.yaml, or data that this version builds otherwise. A comment or another way of writing a number is no change.
 */
export function requireSamePlan(folder: string, info: RunInfo, plan: RunPlan, replica: number): void {
  const differing = firstDifference(describeStages(plan, replica), info.stages);
  if (differing !== null) throw changedConfig(folder, differing);
  // A later version may know more keys, each with a default that leaves everything as it was: the hash is of fewer.
  const isSame = info.configHash === undefined || info.configHash === hashConfig(plan.configs[replica]);
  if (!isSame) configHashOf(folder, info);
  requireSameFolder(folder, info, plan);
  if (info.dataHash !== plan.data[replica]!.hash) {
    throw new UserError(
      `${folder}: the data of seed ${info.seed} as built now differ from those of the run ` +
        `(another config.yaml, or another version: it was ${info.versions['gradscope'] ?? 'not said'})`,
    );
  }
}

/** Throws a UserError when the model folder that a run began with is another now, or missing. */
function requireSameFolder(folder: string, { modelFolder }: RunInfo, { model }: RunPlan): void {
  if (modelFolder === undefined || model.source === undefined) return;
  const sha256 = model.source.hash();
  if (sha256 === modelFolder.sha256) return;
  throw new UserError(
    `${folder}: the model in ${model.source.folder} is not the one that the run began with (sha256 ${sha256.slice(0, 12)}..., ` +
      `it was ${modelFolder.sha256.slice(0, 12)}...); put that back`,
  );
}

/** `stage1.steps is 4900 by config.yaml and 4200 by run.json`, or null when all agree. */
function firstDifference(now: RunInfo['stages'], then: RunInfo['stages']): string | null {
  if (now.length !== then.length) return `it has ${now.length} stages, run.json ${then.length}`;
  for (const [i, stage] of now.entries()) {
    for (const [key, value] of Object.entries(stage)) {
      const before: unknown = Reflect.get(then[i]!, key);
      // An older version says less of a stage.
      if (before === undefined || hashConfig(before) === hashConfig(value)) continue;
      return `${stage.name}.${key} is ${JSON.stringify(value)} by config.yaml and ${JSON.stringify(before)} by run.json`;
    }
  }
  return null;
}
