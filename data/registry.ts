import { pathToFileURL } from 'node:url';
import type { z } from 'zod';
import { checkDesign, requireDesigned, type Design } from './design.js';
import type { BuildOptions, DataSizes, ExperimentData } from './experiment.js';
import type { LossConfig } from './loss.js';
import { UserError } from './errors.js';
import { mnistQa } from './mnist-qa/experiment.js';
import type { ModuleFile } from './module-file.js';
import type { OwnExperiment } from './own-experiment.js';
import { setInclusion } from './set-inclusion/experiment.js';
import { people } from './people/experiment.js';
import { sizesOfData } from './sizes-of-data.js';
import { works } from './works/experiment.js';

/** An experiment of which the type of its config is not known. */
export interface RegisteredExperiment {
  readonly name: string;
  readonly design: Design;
  /** Null for one that is built in. */
  readonly module: ModuleFile | null;
  /** Schema of the `data` section of its experiment files. */
  readonly schema: z.ZodType;
  /** Whether a value of that section is the path of a file. */
  isFile(key: string, value: string): boolean;
  /** Why tags cannot be exchanged in the data of a config, or null, as for one that does not fit the schema. */
  exchangeProblem(config: unknown): string | null;
  /** The data to pretrain on; absent where there are none. Throws a ZodError for a config that does not fit. */
  readonly pretrainingData?: (config: unknown) => unknown;
  /** Sizes of the data of a config, without building them; throws as `build` does. */
  sizes(config: unknown, loss: LossConfig): DataSizes;
  /**
   * Builds the data of one seed. `config` is checked again by the schema, so that it needs no type: throws a ZodError
   * for one that does not fit and a UserError for one that cannot be built.
   */
  build(config: unknown, loss: LossConfig, seed: number, options?: BuildOptions): ExperimentData;
}

function register<Config>(
  experiment: OwnExperiment<Config>,
  module: ModuleFile | null = null,
): [string, RegisteredExperiment] {
  const { name, schema } = experiment;
  const design = checkDesign(name, experiment.design);
  return [
    name,
    {
      name,
      design,
      module,
      schema,
      isFile: (key, value) => experiment.isFile?.(key, value) ?? false,
      exchangeProblem: (config) => {
        if (design.exchange === null || experiment.exchangeProblem === undefined) {
          return `experiment ${name} has no tags to exchange`;
        }
        const { data } = schema.safeParse(config);
        return data === undefined ? null : experiment.exchangeProblem(data);
      },
      ...(experiment.pretrainingData === undefined
        ? {}
        : { pretrainingData: (config: unknown) => experiment.pretrainingData!(schema.parse(config)) }),
      sizes: (config, loss) => {
        const parsed = schema.parse(config);
        return blaming(
          module,
          'sizes',
          () => experiment.sizes?.(parsed, loss) ?? sizesOfData(experiment.build(parsed, loss, 0)),
        );
      },
      build: (config, loss, seed, options) => {
        const parsed = schema.parse(config);
        return blaming(module, `build (seed ${seed})`, () => {
          const data = experiment.build(parsed, loss, seed, options);
          requireDesigned(name, design, data);
          return data;
        });
      },
    },
  ];
}

/**
 * Calls a function of an experiment. What one from outside throws is a UserError with the file and, where the stack tells it,
 * the line: its author mends it there. What a built-in one throws is a defect of this program and keeps its stack.
 */
function blaming<T>(module: ModuleFile | null, what: string, call: () => T): T {
  try {
    return call();
  } catch (error) {
    if (module === null || error instanceof UserError) throw error;
    const [message, stack] =
      error instanceof Error ? [error.message, error.stack ?? ''] : [String(error), ''];
    // Of a stack's lines the first in the module; paths are there as they are or as URLs.
    const at = [module.path, pathToFileURL(module.path).href].flatMap((place) => {
      const from = stack.indexOf(`${place}:`);
      return from < 0 ? [] : [/^\d+/.exec(stack.slice(from + place.length + 1))?.[0]];
    })[0];
    throw new UserError(
      `${module.path}${at === undefined ? '' : `, line ${at}`}: ${what} threw: ${message.split('\n')[0]}; mend it there`,
      { cause: error },
    );
  }
}

const known = new Map([register(setInclusion), register(mnistQa), register(people), register(works)]);

/** All experiments that this process knows, by name. One more that is built in is one line above. */
export const experiments: ReadonlyMap<string, RegisteredExperiment> = known;

/**
 * Makes an experiment from outside known. Throws a UserError when its name is that of a built-in one, or of one from another
 * module.
 */
export function addExperiment(experiment: OwnExperiment<unknown>, module: ModuleFile): void {
  const { name } = experiment;
  const before = known.get(name);
  if (before !== undefined && before.module?.path !== module.path) {
    const whose = before.module === null ? 'built in' : `from ${before.module.path}`;
    throw new UserError(
      `${module.path}: the experiment ${name} is ${whose} already; give this one another name`,
    );
  }
  known.set(...register(experiment, module));
}
