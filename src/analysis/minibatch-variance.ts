import type { GroupGradients } from './group-gradients.js';
import { batchMoments, finitePopulation } from './measures/batch-moments.js';
import type { GradientMoments } from './measures/gradient-variance.js';
import { meanOf } from './measures/measured.js';
import type { StepRange } from './minibatch-alignment.js';

/** Gradient noise of a run, estimated from its own minibatches. */
export interface MinibatchVariance {
  /** Gamma = (1/N) sum |g_i - G|^2, trace of the covariance over the training set, divisor N. */
  readonly gamma: number;
  /** |G|^2, squared norm of the full gradient; an unbiased estimate can be negative. */
  readonly meanNorm2: number;
  /** Simple noise scale Gamma / |G|^2; null where |G|^2 is not positive. */
  readonly noiseScale: number | null;
  /** Minibatches used. */
  readonly minibatches: number;
}

/**
 * Gamma and |G|^2 from minibatches drawn without replacement from N examples: {@link batchMoments} of each with the
 * correction of {@link finitePopulation}, averaged over the minibatches of the range with per-example norms.
 *
 * @param population N, examples of the training set
 */
export function minibatchVariance(
  gradients: GroupGradients,
  population: number,
  { from, to }: StepRange,
): MinibatchVariance | string {
  const norm2 = gradients.norm2('minibatch');
  const example = gradients.exampleNorm2('minibatch');
  const batch = gradients.count('minibatch');
  const moments: GradientMoments[] = [];
  gradients.steps.forEach((step, i) => {
    if (step <= from || step > to) return;
    const own = batchMoments({ size: batch[i]!, norm2: norm2[i]!, exampleNorm2: example[i]! });
    if (typeof own !== 'string') moments.push(finitePopulation(own, population));
  });
  const gamma = meanOf(moments.map((own) => own.gamma));
  const meanNorm2 = meanOf(moments.map((own) => own.meanNorm2));
  if (typeof gamma === 'string' || typeof meanNorm2 === 'string') {
    return `no minibatch between steps ${from} and ${to} has per-example norms`;
  }
  return {
    gamma,
    meanNorm2,
    noiseScale: meanNorm2 > 0 ? gamma / meanNorm2 : null,
    minibatches: moments.length,
  };
}
