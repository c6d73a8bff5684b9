import type { Experiment } from './experiment.js';

/**
 * An experiment of a person's own: a name, its design (subsets, tags, what is compared), the schema of its `data` section, the builder of its data. Sizes are measured on
 * the data of seed 0 where `sizes` is left out, and tags count as not exchangeable where `exchangeProblem` is.
 */
export type OwnExperiment<Config> = Pick<Experiment<Config>, 'name' | 'design' | 'schema' | 'build'> &
  Partial<Experiment<Config>>;

/**
 * Types an experiment and returns it as it is. A module whose default export it is can be named in an experiment file,
 * `experiment: ./mine.mjs`, relative to the file.
 *
 * @example
 * ```js
 * export default defineExperiment({
 *   name: 'greater',
 *   design,
 *   schema: z.strictObject({ variables: z.int().positive() }),
 *   build: (config, loss, seed) => greaterData(config, loss, seed),
 * });
 * ```
 */
export function defineExperiment<Config>(experiment: OwnExperiment<Config>): OwnExperiment<Config> {
  return experiment;
}
