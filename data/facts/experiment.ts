import type { z } from 'zod';
import type { DataSizes, Experiment } from '../experiment.js';
import { nodeSourceFiles, type SourceFiles } from '../files/source-files.js';
import type { LossConfig } from '../loss.js';
import { sizesOfData } from '../sizes-of-data.js';
import { defaultFractions, type FactConfig } from './config.js';
import { factDesign } from './design.js';
import { factExchangeProblem } from './draws.js';
import type { FactEntity, FactSet } from './fact-set.js';
import { buildFactData } from './text-data.js';

/** Keeps what was made of the last few keys: a config is measured several times before it runs. */
class Recent<T> {
  private readonly kept = new Map<string, T>();

  get(key: string, make: () => T): T {
    const known = this.kept.get(key);
    if (known !== undefined) return known;
    const made = make();
    if (this.kept.size >= 4) this.kept.delete(this.kept.keys().next().value!);
    this.kept.set(key, made);
    return made;
  }
}

/** What distinguishes an experiment on facts from another. */
export interface FactExperimentParts<Config extends FactConfig> {
  readonly name: string;
  readonly schema: z.ZodType<Config>;
  /** Entities of a config. Throws a UserError for files that are missing or cannot be read. */
  readonly load: (config: Config, files: SourceFiles) => FactSet;
}

/** An experiment on facts about real entities (Krasheninnikov et al., arXiv 2310.15047, sections 2 and 3.1). */
export function factExperiment<Config extends FactConfig>(
  { name, schema, load }: FactExperimentParts<Config>,
  files: SourceFiles = nodeSourceFiles,
): Experiment<Config> {
  const measured = new Recent<DataSizes>();
  const entitiesOf = (config: Config): readonly FactEntity[] => {
    const { entities } = load(config, files);
    const { maxQuestions } = config;
    return maxQuestions === undefined
      ? entities
      : entities.map((own) => ({ ...own, facts: own.facts.slice(0, maxQuestions) }));
  };
  const build: Experiment<Config>['build'] = (config, loss, seed, options) =>
    buildFactData(entitiesOf(config), config, loss, seed, options);
  return {
    name,
    design: factDesign,
    schema,
    exchangeProblem: factExchangeProblem,
    // The same for every seed: rows are counted by shares, and a row is as long as the longest that any seed could have.
    sizes: (config: Config, loss: LossConfig) =>
      measured.get(JSON.stringify([config, loss]), () => sizesOfData(build(config, loss, 0))),
    pretrainingData: (config) => ({
      ...config,
      content: 'facts',
      fractions: defaultFractions,
      alpha: 1,
      seedStage2: 0,
      definitions: 'tags',
      definitionOrder: 'tve',
      tags: {},
      attribution: [],
      blockSize: undefined,
    }),
    build,
  };
}
