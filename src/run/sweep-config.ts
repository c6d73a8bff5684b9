import path from 'node:path';
import { z } from 'zod';
import type { Design } from '../../data/design.js';
import { UserError } from '../../data/errors.js';
import { loadConfig } from '../config/load.js';
import { parseSeedRange } from '../config/seeds.js';
import { isRecord, readYaml } from '../config/yaml-source.js';
import { experiments } from '../../data/registry.js';
import type { RunConfig } from './config.js';
import { loadExperimentsOf, loadKnownConfig } from './experiment-module.js';

const overrideSchema = z.string().regex(/^[^=]+=/, 'expected key.path=value');

const seedsSchema = z
  .union([z.string(), z.int().nonnegative()])
  .transform((seeds, context): number[] => {
    try {
      return parseSeedRange(String(seeds));
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      context.addIssue({ code: 'custom', message: error.message });
      return z.NEVER;
    }
  })
  .describe('seeds of a point, such as 0..7');

/** A sweep file: one value of a config after the other, some seeds each. */
const sweepSchema = z.strictObject({
  sweep: z
    .string()
    .max(100)
    .regex(/^[a-z0-9][a-z0-9-]*$/, 'expected lower-case letters, digits and hyphens')
    .describe('name of the sweep; part of the name of its runs'),
  description: z.string().max(10_000).default(''),
  base: z.string().describe('experiment file that is varied, relative to this file'),
  set: z
    .array(overrideSchema)
    .max(1000)
    .default([])
    .describe('overrides of the base for all points, key.path=value'),
  axis: z.strictObject({
    key: z.string().describe('key of the experiment file that is varied, such as stages.0.batchSize'),
    label: z.string().max(200).describe('what it is, for the axis of the figure'),
    scale: z.enum(['linear', 'log']).default('linear').describe('of the axis of the figure'),
  }),
  points: z
    .array(
      z.strictObject({
        value: z.number().describe('value of the key'),
        seeds: seedsSchema,
        set: z.array(overrideSchema).max(1000).default([]).describe('further overrides, for this point'),
      }),
    )
    .min(1)
    .max(1000),
});

/** One value of a sweep's key, with the config of its runs. */
export interface SweepPoint {
  readonly value: number;
  readonly seeds: readonly number[];
  readonly config: RunConfig;
  /** The config with everything written out. */
  readonly resolved: string;
}

/** A sweep with the configs of all its points. */
export interface Sweep {
  readonly name: string;
  readonly description: string;
  readonly experiment: string;
  readonly design: Design;
  readonly axis: { readonly key: string; readonly label: string; readonly scale: 'linear' | 'log' };
  readonly points: readonly SweepPoint[];
}

/** Whether a YAML file is a sweep and not an experiment. Throws a UserError for a file that cannot be read. */
export function isSweepFile(file: string): boolean {
  return 'sweep' in readYaml(file).value;
}

const baseOf = (file: string, { base }: { readonly base: string }): string =>
  path.isAbsolute(base) ? base : path.join(path.dirname(file), base);

/** {@link loadSweep}, after the module that the experiment comes from, where it comes from one. */
export async function loadSweepAndModule(file: string, overrides: readonly string[] = []): Promise<Sweep> {
  await loadExperimentsOf(baseOf(file, loadConfig(file, sweepSchema).config));
  return loadSweep(file, overrides);
}

/**
 * Reads a sweep file and the experiment file it varies. The runs of a point are named `<sweep>-<value>`. Throws a
 * UserError that lists what is wrong, with its place; also for a point that makes no valid config.
 */
export function loadSweep(file: string, overrides: readonly string[] = []): Sweep {
  const { config } = loadConfig(file, sweepSchema);
  const { sweep: name, description, axis, set } = config;
  const base = baseOf(file, config);
  requireKey(base, axis.key, file);
  const values = config.points.map(({ value }) => value);
  if (new Set(values).size < values.length) {
    throw new UserError(
      `${file}: points: a value occurs twice in ${values.join(', ')}; give each point its own`,
    );
  }
  if (axis.scale === 'log' && values.some((value) => value <= 0)) {
    throw new UserError(`${file}: axis.scale: a log axis takes values above 0; make it linear`);
  }
  const points = config.points.map((point): SweepPoint => {
    const own = loadKnownConfig(base, [
      ...set,
      ...point.set,
      ...overrides,
      `${axis.key}=${point.value}`,
      `name=${name}-${point.value}`,
    ]);
    return { value: point.value, seeds: point.seeds, config: own.config, resolved: own.resolved };
  });
  const { experiment } = points[0]!.config;
  return { name, description, experiment, design: experiments.get(experiment)!.design, axis, points };
}

/** A key that the base does not have would be added by an override and only then be found unknown, if at all. */
function requireKey(base: string, key: string, file: string): void {
  let value: unknown = loadKnownConfig(base).config;
  for (const part of key.split('.')) {
    value = isRecord(value) || Array.isArray(value) ? Reflect.get(value, part) : undefined;
  }
  if (typeof value !== 'number') {
    throw new UserError(`${file}: axis.key: ${key} is no number of ${base}; give the path of one`);
  }
}
