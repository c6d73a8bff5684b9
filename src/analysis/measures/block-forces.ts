import type { Sampling } from '../../../data/samplers.js';
import { dot } from './gram.js';
import { hessianVector, meanVector, shifted, type GradientAt } from './hessian-vector.js';
import { kappa } from './kappa.js';
import { varianceGradient } from './variance-gradient.js';

/** What moves an inner product of two gradients in the mean dynamics of plain SGD, per unit of time (an update is epsilon). */
export interface BlockForces {
  /** `-grad M . grad C` */
  readonly task: number;
  /** `-(epsilon/4) grad M . grad |G|^2` */
  readonly norm: number;
  /** `-kappa grad M . grad Gamma` */
  readonly alignment: number;
}

/**
 * Forces on `M = g_a . g_b`, `grad M = H_a g_b + H_b g_a`, in float64: the formulas of the probe `forces`.
 *
 * @param members gradients of the members of the population, whose minibatches `sampling` draws
 */
export function blockForces(
  [a, b]: readonly [GradientAt, GradientAt],
  members: readonly GradientAt[],
  parameters: Float64Array,
  learningRate: number,
  sampling: Sampling,
): BlockForces {
  const mean: GradientAt = (at) => meanVector(members.map((gradient) => gradient(at)));
  const slope = shifted(
    hessianVector(a, parameters, b(parameters)),
    1,
    hessianVector(b, parameters, a(parameters)),
  );
  const gradient = mean(parameters);
  return {
    task: -dot(slope, gradient),
    norm: -(learningRate / 2) * dot(slope, hessianVector(mean, parameters, gradient)),
    alignment: -kappa(learningRate, sampling) * dot(slope, varianceGradient(members, parameters)),
  };
}
