import { hessianVector, length, shifted } from '../measures/hessian-vector.js';
import { resultOf } from './check.js';
import type { VerificationResult } from './check.js';
import { descentRates, sgdSteps } from './descent.js';
import { smallLoss } from './network.js';
import { errorComparisons } from './order-of-error.js';

/** V5: steps on A then B end elsewhere than B then A, by `epsilon^2 (H_B g_A - H_A g_B)` up to third order. */
export function orderEffect(): VerificationResult {
  const { start, batch } = smallLoss('4,6');
  const [a, b] = [batch([0, 1]), batch([2, 3])];
  const force = shifted(hessianVector(b, start, a(start)), -1, hessianVector(a, start, b(start)));
  const errors = descentRates.map((epsilon) => {
    const observed = shifted(sgdSteps([a, b], start, epsilon), -1, sgdSteps([b, a], start, epsilon));
    return length(shifted(observed, -(epsilon ** 2), force));
  });
  return resultOf(
    errorComparisons({
      name: 'order of two batches',
      steps: descentRates,
      errors,
      expected: [1.19639e-4, 1.49936e-5, 1.87661e-6],
      order: 3,
    }),
  );
}
