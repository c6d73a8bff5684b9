import { batchMoments, type BatchNorms } from './batch-moments.js';
import { measured } from './measured.js';
import type { Measured } from './measured.js';

/**
 * Norm test (Byrd, Chin, Nocedal and Wu 2012), a plain number: the least theta with
 * `tr Sigma / B <= theta^2 |g_B|^2`, that is `theta = sqrt(tr Sigma / B / |g_B|^2)` with `tr Sigma` as in
 * {@link batchMoments} from the same minibatch. Above about 1 the batch is smaller than its noise scale. The reason as
 * there, or when the gradients cancel.
 */
export function normTest(batch: BatchNorms): Measured {
  const moments = batchMoments(batch);
  if (typeof moments === 'string') return moments;
  if (batch.norm2 <= 0) return 'the gradients cancel';
  return measured(Math.sqrt(Math.max(0, moments.traceSigma) / batch.size / batch.norm2));
}
