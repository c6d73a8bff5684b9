import { dot } from '../measures/gram.js';
import { hessianVector, meanVector, shifted } from '../measures/hessian-vector.js';
import type { GradientAt } from '../measures/hessian-vector.js';
import { near, resultOf } from './check.js';
import type { VerificationResult } from './check.js';
import { sequencesOf } from './enumerate.js';
import { smallLoss } from './network.js';

const alpha = 1e-3;

/** Meta-gradients of k inner steps from `start`. */
interface MetaGradients {
  readonly reptile: Float64Array;
  readonly fomaml: Float64Array;
  readonly maml: Float64Array;
}

function innerLoop(batches: readonly GradientAt[], start: Float64Array): MetaGradients {
  let w = start;
  const steps = batches.map((gradient) => {
    const own = { gradient, at: w, value: gradient(w) };
    w = shifted(w, -alpha, own.value);
    return own;
  });
  const fomaml = steps.at(-1)!.value;
  const reptile = meanVector(steps.map(({ value }) => value)).map((value) => value * steps.length);
  const maml = steps
    .slice(0, -1)
    .reduceRight((v, { gradient, at }) => shifted(v, -alpha, hessianVector(gradient, at, v)), fomaml);
  return { reptile, fomaml, maml };
}

/** Expected meta-gradient: `mean AvgGrad - coefficient alpha AvgGradInner` (Nichol, Achiam and Schulman 2018). */
const cases = [
  { steps: 2, method: 'reptile', avgGrad: 2, theory: 1, golden: 1.0002 },
  { steps: 2, method: 'fomaml', avgGrad: 1, theory: 1, golden: 1.0002 },
  { steps: 2, method: 'maml', avgGrad: 1, theory: 2, golden: 1.9976 },
  { steps: 3, method: 'reptile', avgGrad: 3, theory: 3, golden: 2.9986 },
  { steps: 3, method: 'fomaml', avgGrad: 1, theory: 2, golden: 1.9984 },
  { steps: 3, method: 'maml', avgGrad: 1, theory: 4, golden: 3.9868 },
] as const;

/** V6: how strongly Reptile, FOMAML and MAML follow the inner product of different batches' gradients. */
export function nicholCoefficients(): VerificationResult {
  const { start, gradients } = smallLoss('3,7');
  const avgGrad = meanVector(gradients.map((gradient) => gradient(start)));
  const avgGradInner = meanVector(
    gradients.flatMap((a) => gradients.map((b) => hessianVector(a, start, b(start)))),
  );
  return resultOf(
    cases.flatMap(({ steps, method, avgGrad: first, theory, golden }) => {
      const loops = sequencesOf(gradients, steps).map((batches) => innerLoop(batches, start)[method]);
      const residue = avgGrad.map((value, p) => first * value - meanVector(loops)[p]!);
      const fitted = dot(residue, avgGradInner) / alpha / dot(avgGradInner, avgGradInner);
      return [
        near(`AvgGradInner of ${method}, ${steps} steps`, fitted, golden, 1e-3),
        near(`theory of ${method}`, fitted, theory, 0.02 * theory),
      ];
    }),
  );
}
