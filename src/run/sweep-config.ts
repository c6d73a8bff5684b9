import path from 'node:path';
import type { Design } from '../../data/design.js';
import { UserError } from '../../data/errors.js';
import { experiments } from '../../data/registry.js';
import { loadConfig } from '../config/load.js';
import { isRecord, readYaml } from '../config/yaml-source.js';
import type { AxisValue, SweepAxis, SweepPrediction } from '../store/sweep-design.js';
import type { RunConfig } from './config.js';
import { loadExperimentsOf, loadKnownConfig, placedOverride } from './experiment-module.js';
import { axesOf, plannedArms, type PlannedArm } from './sweep-arms.js';
import { resolvePredictions, type QuantityProblem } from './sweep-predictions.js';
import { sweepSchema, writtenOverrides, type WrittenOverride } from './sweep-file.js';

/** A config of a sweep with its seeds. */
export interface SweepArm {
  readonly name: string;
  /** `[axis]` its value on each axis of the sweep. */
  readonly values: readonly AxisValue[];
  readonly seeds: readonly number[];
  readonly config: RunConfig;
  /** The config with everything written out. */
  readonly resolved: string;
}

/** A sweep with the configs of all its arms. */
export interface Sweep {
  readonly name: string;
  readonly description: string;
  readonly experiment: string;
  readonly design: Design;
  /** None where all arms are named. */
  readonly axes: readonly SweepAxis[];
  readonly arms: readonly SweepArm[];
  /** Id of the quantity that the figure shows and explains. */
  readonly outcome: string;
  /** Id of the quantity that the outcome may come about by; null where none is named. */
  readonly mediator: string | null;
  readonly predictions: readonly SweepPrediction[];
}

/** Whether a YAML file is a sweep and not an experiment. Throws a UserError for a file that cannot be read. */
export function isSweepFile(file: string): boolean {
  return 'sweep' in readYaml(file).value;
}

const baseOf = (file: string, { base }: { readonly base: string }): string =>
  path.isAbsolute(base) ? base : path.join(path.dirname(file), base);

/** {@link loadSweep}, after the module that the experiment comes from, where it comes from one. */
export async function loadSweepAndModule(
  file: string,
  overrides: readonly string[],
  quantityProblem: QuantityProblem,
): Promise<Sweep> {
  await loadExperimentsOf(baseOf(file, loadConfig(file, sweepSchema).config));
  return loadSweep(file, overrides, quantityProblem);
}

/**
 * Reads a sweep file and the experiment file it varies. The runs of an arm are named `<sweep>-<arm>`. Throws a UserError
 * that lists what is wrong, with its place; also for an arm that makes no valid config, and for a prediction about what
 * is not there.
 *
 * @param quantityProblem why there can be no quantity of an id; any will do by default
 */
export function loadSweep(
  file: string,
  overrides: readonly string[] = [],
  quantityProblem: QuantityProblem = () => null,
): Sweep {
  const { config } = loadConfig(file, sweepSchema);
  const source = readYaml(file);
  const locate = (at: readonly PropertyKey[]): string => source.locate(at) ?? file;
  const base = baseOf(file, config);
  const axes = axesOf(config);
  if (config.axis !== undefined) requireNumber(base, config.axis.key, file);
  const planned = plannedArms(config, locate);
  requireScales(axes, planned, locate);
  const common = writtenOverrides(config.set, ['set']);
  const placed = (written: readonly WrittenOverride[]): WrittenOverride[] =>
    written.map((own) => ({ ...own, text: placedOverride(own.text, file) }));
  const arms = planned.map((arm): SweepArm => {
    const own = loadArm(base, placed([...common, ...arm.overrides]), locate, [
      ...overrides,
      `name=${config.sweep}-${arm.name}`,
    ]);
    const { name, values, seeds } = arm;
    return { name, values, seeds, config: own.config, resolved: own.resolved };
  });
  const { experiment } = arms[0]!.config;
  const { design } = experiments.get(experiment)!;
  const { outcome, mediator } = config;
  for (const [key, id] of [
    ['outcome', outcome],
    ['mediator', mediator],
  ] as const) {
    const problem = id === null ? null : quantityProblem(id, design);
    if (problem !== null) throw new UserError(`${locate([key])} ${key}: ${problem}`);
  }
  return {
    name: config.sweep,
    description: config.description,
    experiment,
    design,
    axes,
    arms,
    outcome,
    mediator,
    predictions: resolvePredictions(config.predictions, { design, axes, arms }, quantityProblem, locate),
  };
}

/** The config of an arm; what is wrong with an override of the file is said with the override's place in it. */
function loadArm(
  base: string,
  written: readonly WrittenOverride[],
  locate: (at: readonly PropertyKey[]) => string,
  overrides: readonly string[],
): ReturnType<typeof loadKnownConfig> {
  try {
    return loadKnownConfig(base, [...written.map(({ text }) => text), ...overrides]);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const lines = error.message.split('\n').map((line) => {
      const own = written.findLast(({ text }) => line.startsWith(`--set ${text}`));
      return own === undefined ? line : `${locate(own.at)} ${line.slice('--set '.length)}`;
    });
    throw new UserError(lines.join('\n'), { cause: error });
  }
}

/** Values on a log axis are numbers above 0. */
function requireScales(
  axes: readonly SweepAxis[],
  arms: readonly PlannedArm[],
  locate: (at: readonly PropertyKey[]) => string,
): void {
  for (const [i, { key, scale }] of axes.entries()) {
    if (scale === 'linear') continue;
    const wrong = arms.find(({ values }) => !(typeof values[i] === 'number' && values[i] > 0));
    if (wrong === undefined) continue;
    throw new UserError(
      `${locate(wrong.at)} ${key} is ${wrong.values[i]} there: a log axis takes values above 0; make it linear`,
    );
  }
}

/** A key that the base does not have would be added by an override and only then be found unknown, if at all. */
function requireNumber(base: string, key: string, file: string): void {
  let value: unknown = loadKnownConfig(base).config;
  for (const part of key.split('.')) {
    value = isRecord(value) || Array.isArray(value) ? Reflect.get(value, part) : undefined;
  }
  if (typeof value !== 'number') {
    throw new UserError(`${file}: axis.key: ${key} is no number of ${base}; give the path of one`);
  }
}
