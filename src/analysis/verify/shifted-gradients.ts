import { length, meanVector, shifted } from '../measures/hessian-vector.js';
import { shiftedGradient, varianceGradient } from '../measures/variance-gradient.js';
import { resultOf } from './check.js';
import type { VerificationResult } from './check.js';
import { smallLoss } from './network.js';
import { errorComparisons } from './order-of-error.js';

/** V7: gradients at shifted parameters give the gradient of the variance penalty without second derivatives. */
export function shiftedGradients(): VerificationResult {
  const { start, gradients } = smallLoss('6,8');
  const mean = meanVector(gradients.map((gradient) => gradient(start)));
  const force = varianceGradient(gradients, start);
  const steps = [0.02, 0.01, 0.005];
  const forward = steps.map((beta) => {
    const predicted = shifted(mean, beta / 2, force);
    return length(shifted(shiftedGradient(gradients, start, beta), -1, predicted));
  });
  const central = steps.map((beta) => {
    const [ahead, behind] = [beta, -beta].map((side) => shiftedGradient(gradients, start, side));
    return length(shifted(shifted(ahead!, -1, behind!), -beta, force)) / 2;
  });
  return resultOf([
    ...errorComparisons({
      name: 'one-sided',
      steps,
      errors: forward,
      expected: [5.74374e-2, 1.34484e-2, 3.25e-3],
      order: 2.07,
    }),
    ...errorComparisons({
      name: 'central',
      steps,
      errors: central,
      expected: [1.29361e-2, 1.64994e-3, 2.07292e-4],
      order: 2.98,
    }),
  ]);
}
