import { ratesByGroup } from '../../data/parameter-groups.js';
import type { StageConfig } from './config.js';

/** Full learning rate of each parameter: the first parameter group whose pattern matches, else the stage's. */
export function learningRates(config: StageConfig): (parameter: string) => number {
  return ratesByGroup(config.parameterGroups, config.optimizer.learningRate);
}
