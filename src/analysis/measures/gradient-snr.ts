import type { CoordinateMoments } from './coordinate-moments.js';
import { meanOf } from './measured.js';

/** Gradient signal-to-noise ratio over parameters. */
export interface GradientSnr {
  /** Mean over parameters of the debiased ratio, a plain number; can be negative by chance. */
  readonly mean: number;
  /** Parameters left out because their gradient does not vary. */
  readonly withoutVariance: number;
}

/**
 * GSNR (Liu, Bai, Jiang, Chen and Wang 2020), `r_p = E[g_p]^2 / Var[g_p]`, from a minibatch of B examples. The square
 * of the mean is too large by `s_p^2 / B`; debiased: `r_p = (g_p^2 - s_p^2 / B) / s_p^2`. The reason when no parameter
 * has a variance.
 */
export function gradientSnr({ count, mean, variance }: CoordinateMoments): GradientSnr | string {
  const ratios: number[] = [];
  for (let p = 0; p < mean.length; p++) {
    if (variance[p]! > 0) ratios.push((mean[p]! ** 2 - variance[p]! / count) / variance[p]!);
  }
  if (ratios.length === 0) return 'no gradient coordinate varies';
  const average = meanOf(ratios);
  return typeof average === 'string'
    ? average
    : { mean: average, withoutVariance: mean.length - ratios.length };
}
