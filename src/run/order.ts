import { blockOfRows } from '../../data/blocks.js';
import { UserError } from '../../data/errors.js';
import type { ExampleSet } from '../../data/experiment.js';
import { createStream } from '../../data/random/streams.js';
import { minibatchOrder, type MinibatchOrder } from '../train/sampler.js';
import { examplesPerBatch, type StageConfig } from './config.js';

/**
 * The order in which one replica meets the rows of a stage. Throws a UserError, one line, for a stage whose rows do not
 * have what its order takes.
 *
 * @param groups names of the groups, in the order of `set.group`
 */
export function stageOrder(
  config: Pick<StageConfig, 'name' | 'batchSize' | 'sampler' | 'blocks'>,
  set: ExampleSet,
  groups: readonly string[],
  seed: number,
): MinibatchOrder {
  const { name, batchSize, sampler, blocks } = config;
  if (sampler === 'mixture' && set.probability === undefined) {
    throw new UserError(
      `stage ${name}: the data have no probabilities, which the sampler mixture needs; choose another sampler`,
    );
  }
  try {
    const blockOf = blocks === null ? null : blockOfRows(blocks, groups, set);
    return minibatchOrder(
      set,
      examplesPerBatch(batchSize, set.size),
      sampler,
      createStream(seed, `order/${name}`),
      blockOf,
    );
  } catch (error) {
    throw error instanceof UserError ? new UserError(`stage ${name}: ${error.message}`) : error;
  }
}
