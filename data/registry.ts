import type { z } from 'zod';
import { checkDesign, requireDesigned, type Design } from './design.js';
import type { BuildOptions, DataSizes, Experiment, ExperimentData } from './experiment.js';
import { UserError } from './errors.js';
import type { LossConfig } from './loss.js';
import { mnistQa } from './mnist-qa/experiment.js';
import { setInclusion } from './set-inclusion/experiment.js';

/** An experiment of which the type of its config is not known. */
export interface RegisteredExperiment {
  readonly name: string;
  readonly design: Design;
  /** Schema of the `data` section of its experiment files. */
  readonly schema: z.ZodType;
  /** Why tags cannot be exchanged in the data of a config, or null, as for one that does not fit the schema. */
  exchangeProblem(config: unknown): string | null;
  /** Sizes of the data of a config, without building them; throws as `build` does. */
  sizes(config: unknown, loss: LossConfig): DataSizes;
  /**
   * Builds the data of one seed. `config` is checked again by the schema, so that it needs no type: throws a ZodError
   * for one that does not fit and a UserError for one that cannot be built.
   */
  build(config: unknown, loss: LossConfig, seed: number, options?: BuildOptions): ExperimentData;
}

function register<Config>(experiment: Experiment<Config>): [string, RegisteredExperiment] {
  const { name, schema } = experiment;
  const design = checkDesign(name, experiment.design);
  return [
    name,
    {
      name,
      design,
      schema,
      exchangeProblem: (config) => {
        if (design.exchange === null) return `experiment ${name} has no tags to exchange`;
        const { data } = schema.safeParse(config);
        return data === undefined ? null : experiment.exchangeProblem(data);
      },
      sizes: (config, loss) => experiment.sizes(schema.parse(config), loss),
      build: (config, loss, seed, options) => {
        const data = experiment.build(schema.parse(config), loss, seed, options);
        requireDesigned(name, design, data);
        return data;
      },
    },
  ];
}

const known = new Map([register(setInclusion), register(mnistQa)]);

/** All experiments that this process knows, by name. One more that is built in is one line above. */
export const experiments: ReadonlyMap<string, RegisteredExperiment> = known;

/** Makes an experiment from outside known. Throws a UserError when its name is taken, or its design does not fit. */
export function addExperiment<Config>(experiment: Experiment<Config>): void {
  if (known.has(experiment.name)) {
    throw new UserError(`the experiment ${experiment.name} is there already; give this one another name`);
  }
  known.set(...register(experiment));
}
