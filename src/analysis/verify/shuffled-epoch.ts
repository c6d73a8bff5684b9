import { samplingOf, type Sampler } from '../../../data/samplers.js';
import { hessianVector, length, shifted } from '../measures/hessian-vector.js';
import type { GradientAt } from '../measures/hessian-vector.js';
import { kappa } from '../measures/kappa.js';
import { varianceGradient } from '../measures/variance-gradient.js';
import { resultOf } from './check.js';
import type { VerificationResult } from './check.js';
import { gradientFlow, descentRates, meanIterate } from './descent.js';
import { permutationsOf, sequencesOf } from './enumerate.js';
import { smallLoss } from './network.js';
import { errorComparisons } from './order-of-error.js';

/** Which terms of the implicit penalty the flow has: those of a sampler, or less. */
type Penalty = Sampler | 'norm part' | 'none';

/**
 * Gradient of the loss plus the implicit penalty at a learning rate, of steps on single members of a population:
 * `grad C + (epsilon/2) H grad C + kappa grad Gamma`.
 */
function penalised(
  members: readonly GradientAt[],
  loss: GradientAt,
  penalty: Penalty,
  epsilon: number,
): GradientAt {
  if (penalty === 'none') return loss;
  const strength =
    penalty === 'norm part'
      ? 0
      : kappa(epsilon, samplingOf({ sampler: penalty, batchSize: 1, examples: members.length }));
  return (w) => {
    const gradient = loss(w);
    const withNorm = shifted(gradient, epsilon / 2, hessianVector(loss, w, gradient));
    return strength === 0 ? withNorm : shifted(withNorm, strength, varianceGradient(members, w));
  };
}

/** How far the mean iterate over `orders` of an epoch is from the flow on the loss with a penalty. */
function errorsOfFlow(
  orders: readonly (readonly GradientAt[])[],
  start: Float64Array,
  members: readonly GradientAt[],
  loss: GradientAt,
  penalty: Penalty,
): number[] {
  return descentRates.map((epsilon) => {
    const flow = penalised(members, loss, penalty, epsilon);
    const target = gradientFlow(flow, start, orders[0]!.length * epsilon);
    return length(shifted(meanIterate(orders, start, epsilon), -1, target));
  });
}

/** V1: mean over all orders of four fixed batches; only Smith's penalty leaves an error of third order. */
export function shuffledEpoch(): VerificationResult {
  const { start, batch } = smallLoss('8,1');
  const batches = [0, 1, 2, 3].map((k) => batch([2 * k, 2 * k + 1]));
  const full = batch();
  const orders = permutationsOf(batches);
  // The four minibatches are the population, a step is on one of them.
  const errors = (penalty: Penalty): number[] => errorsOfFlow(orders, start, batches, full, penalty);
  const steps = descentRates;
  return resultOf([
    ...errorComparisons({
      name: "Smith's penalty",
      steps,
      errors: errors('shuffle'),
      expected: [2.63836e-4, 3.62091e-5, 4.74484e-6],
      order: 2.9,
    }),
    ...errorComparisons({
      name: 'norm of the full gradient only',
      steps,
      errors: errors('norm part'),
      expected: [1.75673e-3, 4.49743e-4, 1.13658e-4],
      order: 1.98,
    }),
    ...errorComparisons({
      name: 'no penalty',
      steps,
      errors: errors('none'),
      expected: [4.45868e-3, 1.20442e-3, 3.13227e-4],
      order: 1.92,
    }),
  ]);
}

/** V3: mean over all sequences of batches drawn with replacement; here the variance term must not be there. */
export function epochWithReplacement(): VerificationResult {
  const { start, gradients, batch } = smallLoss('4,3');
  const orders = sequencesOf(gradients, 4);
  return resultOf([
    ...errorComparisons({
      name: 'the penalty of the sampler, norm of the full gradient only',
      steps: descentRates,
      errors: errorsOfFlow(orders, start, gradients, batch(), 'withReplacement'),
      expected: [6.87464e-4, 9.11902e-5, 1.1956e-5],
      order: 2.92,
    }),
    ...errorComparisons({
      name: "Smith's penalty",
      steps: descentRates,
      errors: errorsOfFlow(orders, start, gradients, batch(), 'shuffle'),
      expected: [4.33672e-3, 1.31595e-3, 3.70011e-4],
      order: 1.78,
    }),
  ]);
}
