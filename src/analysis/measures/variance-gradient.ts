import { hessianVector, meanVector, shifted } from './hessian-vector.js';
import type { GradientAt } from './hessian-vector.js';

/**
 * Gradient of the gradient variance, `grad Gamma = (2/N) sum H_i (g_i - G)`, `[parameter]`, by central differences of
 * the per-example gradients: 2N of them. `gradients`: one of each example, at least one.
 */
export function varianceGradient(
  gradients: readonly GradientAt[],
  parameters: Float64Array,
  step?: number,
): Float64Array {
  const own = gradients.map((gradient) => gradient(parameters));
  const mean = meanVector(own);
  const terms = gradients.map((gradient, i) =>
    hessianVector(gradient, parameters, shifted(own[i]!, -1, mean), step),
  );
  return meanVector(terms).map((value) => 2 * value);
}

/**
 * Gradient of `mean C + (beta/2) (1/m) sum |g_k - G|^2` without second derivatives, up to O(beta^2): the mean of the
 * gradients, each taken at the parameters moved by `beta (g_k - G)` (GradAlign: Dandi, Barba and Jaggi 2022). For
 * a penalty `(lambda/4) (1/m) sum |g_k - G|^2` take `beta = lambda / 2`. `[parameter]`.
 */
export function shiftedGradient(
  gradients: readonly GradientAt[],
  parameters: Float64Array,
  beta: number,
): Float64Array {
  const own = gradients.map((gradient) => gradient(parameters));
  const mean = meanVector(own);
  return meanVector(
    gradients.map((gradient, k) => gradient(shifted(parameters, beta, shifted(own[k]!, -1, mean)))),
  );
}
