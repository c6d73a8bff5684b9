import type { z } from 'zod';
import type { DataSizes, Experiment } from '../experiment.js';
import { nodeSourceFiles, type SourceFiles } from '../files/source-files.js';
import type { LossConfig } from '../loss.js';
import { sizesOfData } from '../sizes-of-data.js';
import { defaultFractions, isTokenizerFolder, type FactConfig } from './config.js';
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

/** The same entities for the same question: what is made of them is kept by them. */
const shortened = new WeakMap<readonly FactEntity[], Map<number, readonly FactEntity[]>>();

function withFewerQuestions(entities: readonly FactEntity[], most: number): readonly FactEntity[] {
  const own = shortened.get(entities) ?? new Map<number, readonly FactEntity[]>();
  shortened.set(entities, own);
  const known = own.get(most) ?? entities.map((one) => ({ ...one, facts: one.facts.slice(0, most) }));
  own.set(most, known);
  return known;
}

/** What distinguishes an experiment on facts from another. */
export interface FactExperimentParts<Config extends FactConfig> {
  readonly name: string;
  readonly schema: z.ZodType<Config>;
  /** Keys whose values are paths of files, beside the tokenizer. */
  readonly files: readonly (keyof Config & string)[];
  /** Entities of a config. Throws a UserError for files that are missing or cannot be read. */
  readonly load: (config: Config, files: SourceFiles) => FactSet;
}

/** An experiment on facts about real entities (Krasheninnikov et al., arXiv 2310.15047, sections 2 and 3.1). */
export function factExperiment<Config extends FactConfig>(
  { name, schema, files: fileKeys, load }: FactExperimentParts<Config>,
  files: SourceFiles = nodeSourceFiles,
): Experiment<Config> {
  const measured = new Recent<DataSizes>();
  const entitiesOf = (config: Config): readonly FactEntity[] => {
    const { entities } = load(config, files);
    return config.maxQuestions === undefined ? entities : withFewerQuestions(entities, config.maxQuestions);
  };
  const build: Experiment<Config>['build'] = (config, loss, seed, options) =>
    buildFactData(entitiesOf(config), config, loss, seed, options);
  return {
    name,
    design: factDesign,
    schema,
    isFile: (key, value) =>
      fileKeys.some((own) => own === key) || (key === 'tokenizer' && isTokenizerFolder(value)),
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
