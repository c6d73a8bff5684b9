import type { CoordinateMoments } from '../../../data/gradient-snr.js';
import { measured } from './measured.js';
import type { Measured } from './measured.js';

/**
 * Evidence-based early-stopping criterion (Mahsereci, Balles, Lassner and Hennig 2017, in the form of Cockpit):
 * `1 - B mean_p(g_p^2 / (s_p^2 + delta))`, a plain number, above 0 when the minibatch gradient is no larger than noise
 * alone would make it: stop. `delta`, in units of a variance, keeps parameters that do not vary from dividing by 0,
 * 1e-5 by default. The reason when it comes out as no finite number; throws a RangeError unless delta > 0.
 */
export function evidenceBasedCriterion({ count, mean, variance }: CoordinateMoments, delta = 1e-5): Measured {
  if (!(delta > 0)) throw new RangeError(`delta is not positive: ${delta}`);
  const ratios = mean.map((value, p) => value ** 2 / (variance[p]! + delta));
  return measured(1 - (count * ratios.reduce((sum, ratio) => sum + ratio, 0)) / mean.length);
}
