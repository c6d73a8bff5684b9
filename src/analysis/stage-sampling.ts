import { z } from 'zod';
import { ratesByGroup } from '../../data/parameter-groups.js';
import { samplingOf, type Sampling } from '../../data/samplers.js';
import { parseYaml } from '../../data/yaml.js';
import { configPath, readConfig } from '../store/run-folder.js';
import type { RunInfo } from '../store/run-info.js';
import type { RunData } from './run-data.js';

export type StageInfo = RunInfo['stages'][number];

/** What the minibatches of a stage were drawn from. Throws a UserError for a sampler that is not known. */
export function stageSampling({ sampler, batchSize, examples, composition, replay }: StageInfo): Sampling {
  return samplingOf({
    sampler,
    batchSize,
    examples,
    isComposed: (composition ?? null) !== null,
    isReplayed: replay !== undefined,
  });
}

/** A learning rate and the parameters that have it. */
export interface RateGroup {
  /** Full learning rate, before the schedule. */
  readonly learningRate: number;
  readonly parameters: readonly string[];
}

/**
 * Parameters of a run by their learning rate in a stage. `run.json` has the rates; of runs before it did, the config's
 * parameter groups say them.
 */
export function rateGroups({ folder, info }: RunData, stage: StageInfo): RateGroup[] {
  const rates = stage.learningRates ?? ratesOfConfig(folder, info, stage);
  const groups = new Map<number, string[]>();
  for (const { tensor } of info.parameters) {
    const rate = rates[tensor] ?? stage.learningRate;
    groups.set(rate, [...(groups.get(rate) ?? []), tensor]);
  }
  return Array.from(groups, ([learningRate, parameters]) => ({ learningRate, parameters }));
}

/** The parts of a config that learning rates take; what is not there has no parameter groups. */
const configSchema = z.object({
  stages: z.array(
    z.object({
      name: z.string(),
      parameterGroups: z.array(z.object({ parameters: z.string(), learningRate: z.number() })).default([]),
    }),
  ),
});

function ratesOfConfig(folder: string, info: RunInfo, stage: StageInfo): Record<string, number> {
  const config = configSchema.safeParse(parseYaml(configPath(folder), readConfig(folder)).value);
  const own = config.data?.stages.find(({ name }) => name === stage.name);
  const rateOf = ratesByGroup(own?.parameterGroups ?? [], stage.learningRate);
  return Object.fromEntries(info.parameters.map(({ tensor }) => [tensor, rateOf(tensor)]));
}
