/** First two moments of gradients of examples, coordinate by coordinate. */
export interface CoordinateMoments {
  /** Examples B of a sample; Infinity where the moments are those of all examples. */
  readonly count: number;
  /** `[parameter]` mean gradient. */
  readonly mean: Float64Array;
  /** `[parameter]` variance `s_p^2`: of a sample with the divisor B - 1, of all examples their mean squared deviation. */
  readonly variance: Float64Array;
}

/** Gradient signal-to-noise ratio over parameters. */
export interface GradientSnr {
  /** Mean over parameters of the ratio, a plain number; of a sample it can be negative by chance. */
  readonly mean: number;
  /** Parameters left out because their gradient does not vary. */
  readonly withoutVariance: number;
}

/** Gradients are float32: a variance that is a smaller share of `E[g_p^2]` is rounding. */
const roundingShare = 1e-6;

/**
 * GSNR (Liu, Bai, Jiang, Chen and Wang 2020), mean over parameters of `r_p = E[g_p]^2 / Var[g_p]`. In a sample of B examples
 * the square of the mean is too large by `s_p^2 / B`; debiased: `r_p = (g_p^2 - s_p^2 / B) / s_p^2`. The reason when no
 * parameter has a variance.
 */
export function gradientSnr({ count, mean, variance }: CoordinateMoments): GradientSnr | string {
  let [sum, counted] = [0, 0];
  for (let p = 0; p < mean.length; p++) {
    const [signal2, noise2] = [mean[p]! ** 2, variance[p]!];
    if (noise2 <= roundingShare * (signal2 + noise2)) continue;
    sum += (signal2 - noise2 / count) / noise2;
    counted++;
  }
  return counted === 0
    ? 'no gradient coordinate varies'
    : { mean: sum / counted, withoutVariance: mean.length - counted };
}
