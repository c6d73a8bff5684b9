import { ratesByGroup } from '../../data/parameter-groups.js';
import { hashConfig } from '../store/config-hash.js';
import type { Updating } from '../train/learner.js';
import type { StageConfig } from './config.js';
import { trainedIn } from './interventions/patterns.js';
import type { StagePlan } from './plan.js';

/**
 * Full learning rate of each parameter: 0 where the stage freezes it, else that of the first parameter group whose pattern
 * matches, else the stage's.
 */
export function learningRates(config: StageConfig): (parameter: string) => number {
  const rateOf = ratesByGroup(config.parameterGroups, config.optimizer.learningRate);
  const isTrained = trainedIn(config);
  return (name) => (isTrained(name) ? rateOf(name) : 0);
}

/** How each replica of a stage updates its parameters: one object for replicas that update alike at every step. */
export function updatingOf({ configs }: Pick<StagePlan, 'configs'>): Updating[] {
  const known = new Map<string, Updating>();
  return configs.map((config) => {
    const { optimizer, parameterGroups, schedule } = config;
    const key = hashConfig({ optimizer, parameterGroups, schedule });
    const own = known.get(key) ?? { optimizer, learningRate: learningRates(config) };
    known.set(key, own);
    return own;
  });
}
