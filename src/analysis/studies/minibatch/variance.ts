import { whyNoSample, type Sampling } from '../../../../data/samplers.js';
import type { GroupGradients } from './gradient-log.js';
import { batchMoments, populationMoments } from '../../measures/batch-moments.js';
import type { GradientMoments } from '../../measures/gradient-variance.js';
import { meanOf } from '../../measures/measured.js';
import type { StepRange } from './cosine.js';

/** Norms of the minibatches of training, of all parameters or of some. */
export interface MinibatchSeries {
  /** Updates with a logged gradient, ascending. */
  readonly steps: Int32Array;
  /** `[step]` examples. */
  readonly size: ArrayLike<number>;
  /** `[step]` squared norm of the minibatch gradient. */
  readonly norm2: ArrayLike<number>;
  /** `[step]` sum over its examples of the squared norms of their own gradients; NaN where it was not measured. */
  readonly exampleNorm2: ArrayLike<number>;
}

/** Gradient noise of a run, estimated from its own minibatches. */
export interface MinibatchVariance extends GradientMoments {
  /** Minibatches used. */
  readonly minibatches: number;
}

/** The minibatches of a run, all parameters together. */
export function minibatchSeries(gradients: GroupGradients): MinibatchSeries {
  return {
    steps: gradients.steps,
    size: gradients.count('minibatch'),
    norm2: gradients.norm2('minibatch'),
    exampleNorm2: gradients.exampleNorm2('minibatch'),
  };
}

/**
 * `[step]` unbiased Gamma and |G|^2 of the population that the sampler draws from: {@link batchMoments} of each minibatch
 * with the correction of {@link populationMoments}; null where there are no per-example norms, and where a minibatch is no
 * sample of the population ({@link whyNoSample}).
 */
export function momentsBySteps(
  { steps, size, norm2, exampleNorm2 }: MinibatchSeries,
  sampling: Sampling,
): (GradientMoments | null)[] {
  return Array.from(steps, (_, i) => {
    const own = batchMoments({ size: size[i]!, norm2: norm2[i]!, exampleNorm2: exampleNorm2[i]! });
    return typeof own === 'string' || whyNoSample(sampling) !== null
      ? null
      : populationMoments(own, sampling);
  });
}

/** Gamma and |G|^2 averaged over the minibatches of the range with per-example norms; the reason without any. */
export function minibatchVariance(
  series: MinibatchSeries,
  sampling: Sampling,
  { from, to }: StepRange,
): MinibatchVariance | string {
  if (sampling.batchSize < 2) return 'minibatches of one example show no variance';
  const why = whyNoSample(sampling);
  if (why !== null) return why;
  const moments = momentsBySteps(series, sampling).flatMap((own, i) =>
    own !== null && series.steps[i]! > from && series.steps[i]! <= to ? [own] : [],
  );
  const gamma = meanOf(moments.map((own) => own.gamma));
  const meanNorm2 = meanOf(moments.map((own) => own.meanNorm2));
  if (typeof gamma === 'string' || typeof meanNorm2 === 'string') {
    return `no minibatch between steps ${from} and ${to} has per-example norms`;
  }
  return { gamma, meanNorm2, minibatches: moments.length };
}
