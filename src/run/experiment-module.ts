import path from 'node:path';
import { z } from 'zod';
import { UserError } from '../../data/errors.js';
import type { OwnExperiment } from '../../data/own-experiment.js';
import { addExperiment, experiments } from '../../data/registry.js';
import { jsonSchemaOf } from '../config/json-schema.js';
import { configKeys, type ConfigKey } from '../config/reference.js';
import { loadConfig, readConfigFiles, type LoadedConfig } from '../config/load.js';
import { parseOverride } from '../config/overrides.js';
import { isRecord } from '../config/yaml-source.js';
import { importDefault } from '../store/import-module.js';
import { folderName } from '../store/run-paths.js';
import { runSchemaOf, type RunConfig } from './config.js';

/**
 * Reads an experiment file whose experiment may come from a module: `experiment: ./mine.mjs`, relative to the file that says
 * so, which runs the module's code. The config has then the name of its experiment, and the module's place and hash under
 * `module`, as the config.yaml of a run does. Throws a UserError as {@link loadConfig} does, and for a module that is missing,
 * is no experiment, or is not the one that a run began with.
 */
export async function loadRunConfig(
  file: string,
  overrides: readonly string[] = [],
): Promise<LoadedConfig<RunConfig>> {
  await loadExperimentsOf(file);
  return loadKnownConfig(file, overrides);
}

/** The same where the experiments of the file are known already. */
export function loadKnownConfig(file: string, overrides: readonly string[] = []): LoadedConfig<RunConfig> {
  return loadConfig(file, knownSchema(), overrides, (value, own) =>
    placeDataFiles(nameModelFolder(nameExperiment(value, own), own), own),
  );
}

/** Makes the experiments that a file and those it extends name known. Throws a UserError as {@link loadRunConfig} does. */
export async function loadExperimentsOf(file: string): Promise<void> {
  for (const { file: own, value } of readConfigFiles(file)) {
    const { experiment, module } = value;
    if (isModulePath(experiment)) await loadModule(placeOf(experiment, own), null, `${own}: experiment`);
    else if (isRecord(module) && typeof module['path'] === 'string' && typeof module['sha256'] === 'string') {
      await loadModule(placeOf(module['path'], own), module['sha256'], `${own}: module.path`);
    }
  }
}

let schema = { of: experiments.size, made: runSchemaOf(experiments.values()) };

/** The schema for the experiments that are known now; made anew when there are more. */
function knownSchema(): typeof schema.made {
  if (schema.of !== experiments.size) {
    schema = { of: experiments.size, made: runSchemaOf(experiments.values()) };
  }
  return schema.made;
}

/** Keys of experiment files, of all experiments that are known, or of one alone. */
export function configKeysOf(experiment: string | null): ConfigKey[] {
  const own = experiment === null ? experiments.values() : [experiments.get(experiment)!];
  return configKeys(jsonSchemaOf(runSchemaOf(own)));
}

/** Whether the value of `experiment` is the path of a module and not a name. */
function isModulePath(value: unknown): value is string {
  return typeof value === 'string' && (/[\\/]/.test(value) || /\.[cm]?js$/.test(value));
}

const placeOf = (module: string, file: string): string => path.resolve(path.dirname(file), module);

/** A file's values with the name of its experiment for the path of a module. */
function nameExperiment(value: Record<string, unknown>, file: string): Record<string, unknown> {
  const { experiment } = value;
  if (!isModulePath(experiment)) return value;
  const place = placeOf(experiment, file);
  const found = [...experiments.values()].find(({ module }) => module?.path === place);
  return found === undefined
    ? value
    : { ...value, experiment: found.name, module: { path: place, sha256: found.module!.sha256 } };
}

/** A file's values with a model of `{ from: folder }` written out: its kind, and the folder as seen from that file. */
function nameModelFolder(value: Record<string, unknown>, file: string): Record<string, unknown> {
  const { model } = value;
  if (!isRecord(model) || !('from' in model)) return value;
  const { from } = model;
  const place = typeof from === 'string' ? placeOf(from, file) : from;
  return { ...value, model: { kind: 'folder', ...model, from: place } };
}

/** A file's values with the files of its data as seen from that file. */
function placeDataFiles(value: Record<string, unknown>, file: string): Record<string, unknown> {
  const { data } = value;
  if (!isRecord(data)) return value;
  const placed = Object.entries(data).map(([key, own]) => [
    key,
    typeof own === 'string' && isDataFile(key, own) ? placeOf(own, file) : own,
  ]);
  return { ...value, data: Object.fromEntries(placed) as Record<string, unknown> };
}

function isDataFile(key: string, value: string): boolean {
  return [...experiments.values()].some((experiment) => experiment.isFile(key, value));
}

/** An override that stands in a sweep file, with a folder or file that it names as seen from there. */
export function placedOverride(text: string, file: string): string {
  const [, key, of = ''] = /^(model\.from|data\.([^.=]+))=/.exec(text) ?? [];
  if (key === undefined) return text;
  const { value } = parseOverride(text).value;
  const isPath = typeof value === 'string' && (key === 'model.from' || isDataFile(of, value));
  return isPath ? `${key}=${JSON.stringify(placeOf(value, file))}` : text;
}

/**
 * @param expected hash of the module that a run began with, or null
 * @param what names it, for messages
 */
async function loadModule(place: string, expected: string | null, what: string): Promise<void> {
  const { value, module } = await importDefault(place, what);
  if (expected !== null && module.sha256 !== expected) {
    throw new UserError(
      `${what}: ${place} is not the module that the run began with (sha256 ${module.sha256.slice(0, 12)}..., it was ` +
        `${expected.slice(0, 12)}...); put that back, or give its place`,
    );
  }
  if ([...experiments.values()].some((known) => known.module?.path === place)) return;
  addExperiment(asExperiment(value, place), module);
}

const experimentShape = z.object({
  name: folderName,
  schema: z.custom(
    (schema) => schema instanceof z.ZodType,
    'expected a schema, made with the z of gradscope',
  ),
  build: z.custom((build) => typeof build === 'function', 'expected a function'),
});

/** Throws a UserError for a value that is no experiment; of its functions nothing more can be checked. */
function asExperiment(value: unknown, place: string): OwnExperiment<unknown> {
  const { error } = experimentShape.safeParse(value);
  if (error === undefined) return value as OwnExperiment<unknown>;
  const [issue] = error.issues;
  throw new UserError(
    `${place}: its default export is no experiment: ${issue!.path.join('.') || 'the value'}: ${issue!.message}; ` +
      'export default defineExperiment({ name, schema, build })',
  );
}
