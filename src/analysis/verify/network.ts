import { dot } from '../measures/gram.js';
import { meanVector } from '../measures/hessian-vector.js';
import type { GradientAt } from '../measures/hessian-vector.js';
import { referenceData } from './reference-data.js';

/** Numbers of a data set's name, `examples,seed`. */
export type DataName = keyof typeof referenceData;

/**
 * The small loss on which the theory is checked: `C_i = (v . tanh(W x_i) - y_i)^2 / 2`, parameters W (4 by 3, row by
 * row), then v (4), in float64.
 */
export interface SmallLoss {
  /** Parameters at which the checks start, `[16]`. */
  readonly start: Float64Array;
  /** `[example]` gradient of each C_i. */
  readonly gradients: readonly GradientAt[];
  /** C_i of one example. */
  readonly loss: (example: number, parameters: Float64Array) => number;
  /** Gradient of the mean loss of some examples, all by default. */
  readonly batch: (examples?: readonly number[]) => GradientAt;
}

const inputs = 3;
const hidden = 4;

/** The loss of a data set. */
export function smallLoss(name: DataName): SmallLoss {
  const { x, y, w0 } = referenceData[name];
  const points = Array.from(y, (target, i) => ({ input: x.slice(i * inputs, (i + 1) * inputs), target }));
  const gradients = points.map(({ input, target }): GradientAt => (w) => {
    const { activations, error } = forward(w, input, target);
    const gradient = new Float64Array(w.length);
    activations.forEach((h, k) => {
      const back = error * w[hidden * inputs + k]! * (1 - h * h);
      for (let p = 0; p < inputs; p++) gradient[k * inputs + p] = back * input[p]!;
      gradient[hidden * inputs + k] = error * h;
    });
    return gradient;
  });
  return {
    start: Float64Array.from(w0),
    gradients,
    loss: (example, w) => {
      const { input, target } = points[example]!;
      return 0.5 * forward(w, input, target).error ** 2;
    },
    batch: (examples) => {
      const chosen = examples?.map((i) => gradients[i]!) ?? gradients;
      return (w) => meanVector(chosen.map((gradient) => gradient(w)));
    },
  };
}

function forward(w: Float64Array, input: readonly number[], target: number) {
  const activations = Array.from({ length: hidden }, (_, k) =>
    Math.tanh(dot(w.subarray(k * inputs, (k + 1) * inputs), input)),
  );
  return { activations, error: dot(w.subarray(hidden * inputs), activations) - target };
}
