import { createHash } from 'node:crypto';
import { UserError } from '../../data/errors.js';
import { parseYaml } from '../../data/yaml.js';
import type { FileSystem } from './file-system.js';
import { configPath, readConfig } from './run-folder.js';
import type { RunInfo } from './run-info.js';

/**
 * SHA-256 of a config's values, in hexadecimal: the same for two files that differ in comments, line ends, the order
 * of keys or the way numbers are written, and for two places of one experiment module (`module.path`).
 *
 * @param value maps, lists, texts, numbers, booleans and null; keys without a value count as missing
 */
export function hashConfig(value: unknown): string {
  return createHash('sha256')
    .update(canonical(withoutPlace(value)))
    .digest('hex');
}

/**
 * {@link hashConfig} of a run folder's config.yaml. Throws a UserError when the file is missing, is no YAML, or is not the
 * one that the run began with.
 */
export function configHashOf(folder: string, info: RunInfo, fs?: FileSystem): string {
  return hashConfig(ownConfig(folder, info, fs));
}

/** The same as of a run of this version: equal for runs that differ in nothing but the version that wrote their config. */
export function armHashOf(folder: string, info: RunInfo): string {
  return hashConfig(withAddedKeys(ownConfig(folder, info)));
}

function ownConfig(folder: string, info: RunInfo, fs?: FileSystem): unknown {
  const { value } = parseYaml(configPath(folder), readConfig(folder, fs));
  if (info.configHash !== undefined && info.configHash !== hashConfig(value)) throw changedConfig(folder);
  return value;
}

/** Keys that were added to configs, to their evaluation and to their stages, with what runs of versions before them did. */
const addedKeys = { tagExchange: false, pretrain: null };
const addedEvaluationKeys = { gold: 'any', generation: null };
const addedStageKeys = {
  blocks: null,
  composition: null,
  microBatch: null,
  replay: null,
  stop: null,
  reset: null,
  projection: null,
  surgery: null,
  noise: null,
  freeze: null,
  penalty: null,
};

/** A config's values, with those of {@link addedKeys} where they were not written. */
export function withAddedKeys(config: unknown): unknown {
  if (!isRecord(config)) return config;
  const { stages, evaluation } = config;
  const evaluated = isRecord(evaluation) ? { evaluation: { ...addedEvaluationKeys, ...evaluation } } : {};
  const own = Array.isArray(stages)
    ? { stages: stages.map((stage: unknown) => (isRecord(stage) ? { ...addedStageKeys, ...stage } : stage)) }
    : {};
  return { ...addedKeys, ...config, ...own, ...evaluated, ...withAddedModelKeys(config) };
}

/** The same of the model, where it is a transformer. */
function withAddedModelKeys({ model }: Record<string, unknown>): { readonly model?: unknown } {
  if (!isRecord(model) || model['kind'] !== 'transformer') return {};
  const table = model['variableEmbedding'];
  return {
    model: {
      tagEmbedding: null,
      ...model,
      ...(isRecord(table) ? { variableEmbedding: { scale: 1, ...table } } : {}),
    },
  };
}

/** What is said of a run whose config.yaml has other values than when it began. */
export function changedConfig(folder: string, what = 'its hash in run.json is another'): UserError {
  return new UserError(
    `${folder}: config.yaml is not the one that the run began with: ${what}; put the run's own config.yaml back, or give ` +
      'the changed one another name and start it',
  );
}

function withoutPlace(value: unknown): unknown {
  if (!isRecord(value) || !isRecord(value['module'])) return value;
  return { ...value, module: { ...value['module'], path: undefined } };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** JSON with sorted keys. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const entries = Object.entries(value).filter(([, own]) => own !== undefined);
  const sorted = entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${sorted.map(([key, own]) => `${JSON.stringify(key)}:${canonical(own)}`).join()}}`;
}
