import { samplingOf, type Sampling } from '../../data/samplers.js';
import type { StageConfig } from './config.js';

/** Examples of a minibatch as configured, of `rows` rows; may be more than there are. */
export function examplesPerBatch(batchSize: StageConfig['batchSize'], rows: number): number {
  return batchSize === 'full' ? rows : batchSize;
}

/** The sampling of a stage of `rows` rows as configured. Throws as {@link samplingOf}. */
export function configuredSampling(
  { sampler, batchSize, replay }: Pick<StageConfig, 'sampler' | 'batchSize' | 'replay'>,
  rows: number,
): Sampling {
  return samplingOf({
    sampler,
    batchSize: examplesPerBatch(batchSize, rows),
    examples: rows,
    isReplayed: replay !== null,
  });
}
