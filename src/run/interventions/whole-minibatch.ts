import type { StageConfig } from '../config.js';
import type { InterventionKey } from './intervention.js';

/**
 * Why an intervention that is about parts of a minibatch's gradient cannot be in a stage: an accumulated minibatch has no factors
 * that they could be had from; or null.
 *
 * @param parts what it is about the gradients of
 */
export function accumulationProblem(
  { microBatch }: Pick<StageConfig, 'microBatch'>,
  key: InterventionKey,
  parts: string,
): string | null {
  return microBatch === null
    ? null
    : `it is about the gradients of ${parts}, which an accumulated minibatch does not have; leave microBatch out, or ${key}`;
}
