import { hessianVector, meanVector, shifted } from '../measures/hessian-vector.js';
import type { GradientAt } from '../measures/hessian-vector.js';

/** Learning rates at which the errors of expansions are compared. */
export const descentRates = [0.04, 0.02, 0.01] as const;

/** Plain SGD: one step on each of `gradients` in turn. */
export function sgdSteps(
  gradients: readonly GradientAt[],
  start: Float64Array,
  learningRate: number,
): Float64Array {
  return gradients.reduce((w, gradient) => shifted(w, -learningRate, gradient(w)), start);
}

/** Where SGD ends on average over `orders` of the same `start`. */
export function meanIterate(
  orders: readonly (readonly GradientAt[])[],
  start: Float64Array,
  learningRate: number,
): Float64Array {
  return meanVector(orders.map((order) => sgdSteps(order, start, learningRate)));
}

/** Gradient flow `dw/dt = -gradient(w)` for a time, by 40 Runge-Kutta steps of order 4. */
export function gradientFlow(gradient: GradientAt, start: Float64Array, time: number): Float64Array {
  const h = time / 40;
  let w = start;
  for (let step = 0; step < 40; step++) {
    const k1 = gradient(w);
    const k2 = gradient(shifted(w, -h / 2, k1));
    const k3 = gradient(shifted(w, -h / 2, k2));
    const k4 = gradient(shifted(w, -h, k3));
    w = w.map((value, p) => value - (h / 6) * (k1[p]! + 2 * k2[p]! + 2 * k3[p]! + k4[p]!));
  }
  return w;
}

/** Gradient of `mean_k |g_k|^2`, `2 mean H_k g_k`. */
export function meanNormGradient(gradients: readonly GradientAt[]): GradientAt {
  return (w) =>
    meanVector(gradients.map((gradient) => hessianVector(gradient, w, gradient(w)))).map(
      (value) => 2 * value,
    );
}
