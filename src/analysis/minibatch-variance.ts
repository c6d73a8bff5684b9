import type { GroupGradients } from './group-gradients.js';
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
 * Gamma and |G|^2 from minibatches drawn without replacement from N examples. A minibatch of B examples gives
 * `s^2 = (sum |g_i|^2 - B |g|^2) / (B - 1)` and `m = (B |g|^2 - mean |g_i|^2) / (B - 1)`, whose expectations are
 * `N/(N-1) Gamma` and `|G|^2 - Gamma/(N-1)`; hence `Gamma = (N-1)/N s^2` and `|G|^2 = m + Gamma/(N-1)` (McCandlish et
 * al. 2018 with the finite-population correction). Averaged over the minibatches of the range with per-example norms.
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
  let variance = 0;
  let mean = 0;
  let minibatches = 0;
  gradients.steps.forEach((step, i) => {
    const b = batch[i]!;
    if (step <= from || step > to || !Number.isFinite(example[i]!) || b < 2) return;
    minibatches++;
    variance += (example[i]! - b * norm2[i]!) / (b - 1);
    mean += (b * norm2[i]! - example[i]! / b) / (b - 1);
  });
  if (minibatches === 0) return `no minibatch between steps ${from} and ${to} has per-example norms`;
  const gamma = (((population - 1) / population) * variance) / minibatches;
  const meanNorm2 = mean / minibatches + gamma / (population - 1);
  return { gamma, meanNorm2, noiseScale: meanNorm2 > 0 ? gamma / meanNorm2 : null, minibatches };
}
