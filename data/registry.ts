import type { z } from 'zod';
import type { BuildOptions, DataSizes, Experiment, ExperimentData } from './experiment.js';
import type { LossConfig } from './loss.js';
import { mnistQa } from './mnist-qa/experiment.js';
import { setInclusion } from './set-inclusion/experiment.js';

/** An experiment of which the type of its config is not known. */
export interface RegisteredExperiment {
  readonly name: string;
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
  return [
    name,
    {
      name,
      schema,
      exchangeProblem: (config) => {
        const { data } = schema.safeParse(config);
        return data === undefined ? null : experiment.exchangeProblem(data);
      },
      sizes: (config, loss) => experiment.sizes(schema.parse(config), loss),
      build: (config, loss, seed, options) => experiment.build(schema.parse(config), loss, seed, options),
    },
  ];
}

/** All experiments by name. A new one is one line here. */
export const experiments: ReadonlyMap<string, RegisteredExperiment> = new Map([
  register(setInclusion),
  register(mnistQa),
]);
