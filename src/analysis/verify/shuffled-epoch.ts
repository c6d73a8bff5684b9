import { length, shifted } from '../measures/hessian-vector.js';
import type { GradientAt } from '../measures/hessian-vector.js';
import { resultOf } from './check.js';
import type { CheckResult } from './check.js';
import { gradientFlow, learningRates, meanIterate, meanNormGradient, sumOfGradients } from './descent.js';
import { permutationsOf, sequencesOf } from './enumerate.js';
import { smallLoss } from './network.js';
import { errorComparisons } from './order-of-error.js';

/** How far the mean iterate over `orders` of an epoch's batches is from the flow on `C + epsilon/4 penalty`. */
function errorsOfFlow(
  orders: readonly (readonly GradientAt[])[],
  start: Float64Array,
  loss: GradientAt,
  penalty: GradientAt,
): number[] {
  return learningRates.map((epsilon) => {
    const target = gradientFlow(
      sumOfGradients(loss, epsilon / 4, penalty),
      start,
      orders[0]!.length * epsilon,
    );
    return length(shifted(meanIterate(orders, start, epsilon), -1, target));
  });
}

/** V1: mean over all orders of four fixed batches; only Smith's penalty leaves an error of third order. */
export function shuffledEpoch(): CheckResult {
  const { start, batch } = smallLoss('8,1');
  const batches = [0, 1, 2, 3].map((k) => batch([2 * k, 2 * k + 1]));
  const full = batch();
  const orders = permutationsOf(batches);
  const errors = (penalty: GradientAt): number[] => errorsOfFlow(orders, start, full, penalty);
  const steps = learningRates;
  return resultOf([
    ...errorComparisons({
      name: "Smith's penalty",
      steps,
      errors: errors(meanNormGradient(batches)),
      expected: [2.63836e-4, 3.62091e-5, 4.74484e-6],
      order: 2.9,
    }),
    ...errorComparisons({
      name: 'norm of the full gradient only',
      steps,
      errors: errors(meanNormGradient([full])),
      expected: [1.75673e-3, 4.49743e-4, 1.13658e-4],
      order: 1.98,
    }),
    ...errorComparisons({
      name: 'no penalty',
      steps,
      errors: errors((w) => new Float64Array(w.length)),
      expected: [4.45868e-3, 1.20442e-3, 3.13227e-4],
      order: 1.92,
    }),
  ]);
}

/** V3: mean over all sequences of batches drawn with replacement; here the variance term must not be there. */
export function epochWithReplacement(): CheckResult {
  const { start, gradients, batch } = smallLoss('4,3');
  const orders = sequencesOf(gradients, 4);
  return resultOf([
    ...errorComparisons({
      name: 'norm of the full gradient only',
      steps: learningRates,
      errors: errorsOfFlow(orders, start, batch(), meanNormGradient([batch()])),
      expected: [6.87464e-4, 9.11902e-5, 1.1956e-5],
      order: 2.92,
    }),
    ...errorComparisons({
      name: "Smith's penalty",
      steps: learningRates,
      errors: errorsOfFlow(orders, start, batch(), meanNormGradient(gradients)),
      expected: [4.33672e-3, 1.31595e-3, 3.70011e-4],
      order: 1.78,
    }),
  ]);
}
