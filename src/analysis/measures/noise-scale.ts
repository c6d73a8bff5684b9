import type { GradientMoments } from './gradient-variance.js';
import { meanOf, measured } from './measured.js';
import type { Measured } from './measured.js';

/**
 * Simple noise scale `B_simple = Gamma / |G|^2` (McCandlish et al. 2018), in examples, of moments that are estimated
 * several times: the mean of Gamma over the mean of |G|^2, since a mean of ratios is biased and may not exist. The
 * reason without moments, for one that is not finite, or when the mean |G|^2 is not positive.
 */
export function noiseScale(moments: readonly GradientMoments[]): Measured {
  const gamma = meanOf(moments.map((own) => own.gamma));
  const meanNorm2 = meanOf(moments.map((own) => own.meanNorm2));
  if (typeof gamma === 'string') return gamma;
  if (typeof meanNorm2 === 'string') return meanNorm2;
  return meanNorm2 > 0 ? measured(gamma / meanNorm2) : 'the full gradient is not above its noise';
}
