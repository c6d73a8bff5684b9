import { samplingOf } from '../../../data/samplers.js';
import { blockForces } from '../measures/block-forces.js';
import { dot } from '../measures/gram.js';
import { hessianVector, shifted, type GradientAt } from '../measures/hessian-vector.js';
import { near, resultOf, type VerificationResult } from './check.js';
import { descentRates, gradientFlow, sgdSteps } from './descent.js';
import { permutationsOf } from './enumerate.js';
import { smallLoss } from './network.js';
import { orderOfError } from './order-of-error.js';

/**
 * V14: inner product of two gradients at the end of an epoch, mean over all orders of four minibatches, against that at the
 * end of the flow on the loss with the norm part of the penalty: the difference is what the alignment force does in an epoch. The
 * path of an epoch moves to first order the same way in every order, so that the spread of its ends adds nothing at this order.
 */
export function blockForceCheck(): VerificationResult {
  const { start, gradients, batch } = smallLoss('8,1');
  const batches = [0, 1, 2, 3].map((k) => batch([2 * k, 2 * k + 1]));
  const full = batch();
  const orders = permutationsOf(batches);
  // The minibatches are the population, a step is on one of them.
  const sampling = samplingOf({ sampler: 'shuffle', batchSize: 1, examples: batches.length });
  const pair: readonly [GradientAt, GradientAt] = [gradients[0]!, gradients[5]!];
  const inner = (at: Float64Array): number => dot(pair[0](at), pair[1](at));
  const found = descentRates.map((epsilon) => {
    const time = batches.length * epsilon;
    const mean =
      orders.reduce((sum, order) => sum + inner(sgdSteps(order, start, epsilon)), 0) / orders.length;
    const withNorm: GradientAt = (at) => {
      const gradient = full(at);
      return shifted(gradient, epsilon / 2, hessianVector(full, at, gradient));
    };
    const forces = blockForces(pair, batches, start, epsilon, sampling);
    return {
      observed: mean - inner(gradientFlow(withNorm, start, time)),
      predicted: time * forces.alignment,
      // Of the whole change, to first order in the forces.
      task: (inner(gradientFlow(full, start, time)) - inner(start)) / time - forces.task,
      norm:
        inner(gradientFlow(withNorm, start, time)) -
        inner(gradientFlow(full, start, time)) -
        time * forces.norm,
    };
  });
  const orderOf = (errors: readonly number[]): number => orderOfError(descentRates, errors.map(Math.abs));
  return resultOf([
    near(
      'order of the error, alignment force',
      orderOf(found.map((own) => own.observed - own.predicted)),
      3,
      0.2,
    ),
    near('observed / predicted at 0.01', found.at(-1)!.observed / found.at(-1)!.predicted, 1, 0.1),
    near('order of what it predicts', orderOf(found.map(({ predicted }) => predicted)), 2, 1e-9),
    near('order of the error, norm force', orderOf(found.map(({ norm }) => norm)), 3, 0.2),
    near('order of the error, task force', orderOf(found.map(({ task }) => task)), 1, 0.2),
  ]);
}
