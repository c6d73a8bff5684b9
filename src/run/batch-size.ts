import type { StageConfig } from './config.js';

/** Examples of a minibatch as configured, of `rows` rows; may be more than there are. */
export function examplesOf(batchSize: StageConfig['batchSize'], rows: number): number {
  return batchSize === 'full' ? rows : batchSize;
}
