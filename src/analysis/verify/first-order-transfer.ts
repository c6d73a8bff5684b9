import { dot } from '../measures/gram.js';
import { hessianVector, shifted } from '../measures/hessian-vector.js';
import { adamDiagonal } from '../measures/preconditioned-cosine.js';
import { predictedChange } from '../measures/predicted-change.js';
import { near, resultOf } from './check.js';
import type { VerificationResult } from './check.js';
import { smallLoss } from './network.js';
import { errorComparisons, orderOfError } from './order-of-error.js';

const [steps, query, delta] = [[0.02, 0.01, 0.005], 5, 1e-3] as const;

/** V11: the change of a query's loss by a step on two other examples, to first and second order. */
export function firstOrderTransfer(): VerificationResult {
  const { start, gradients, loss, batch } = smallLoss('8,9');
  const all = gradients.map((gradient) => gradient(start));
  const secondMoments = start.map((_, p) => all.reduce((sum, g) => sum + g[p]! ** 2, 0) / all.length);
  const preconditioner = adamDiagonal(secondMoments, delta);
  const definition = batch([0, 1])(start);
  const cases = [
    { name: 'SGD', u: definition, expected: [1.08722e-4, 2.74682e-5, 6.90249e-6], orders: [1.99, 3.01] },
    {
      name: 'Adam',
      u: definition.map((value, p) => preconditioner[p]! * value),
      expected: [1.22563e-4, 2.98851e-5, 7.37674e-6],
      orders: [2.03, 3],
    },
  ] as const;
  const own = gradients[query]!;
  return resultOf(
    cases.flatMap(({ name, u, expected, orders }) => {
      const curvature = dot(u, hessianVector(own, start, u));
      const inner = dot(own(start), u);
      const results = steps.map((rate) => {
        const actual = loss(query, shifted(start, -rate, u)) - loss(query, start);
        const { firstOrder, total } = predictedChange(rate, inner, curvature);
        return { first: Math.abs(actual - firstOrder), second: Math.abs(actual - total) };
      });
      const second = orderOfError(
        steps,
        results.map((result) => result.second),
      );
      return [
        ...errorComparisons({
          name: `first-order transfer of ${name}`,
          steps,
          errors: results.map(({ first }) => first),
          expected,
          order: orders[0],
        }),
        near('order with curvature', second, orders[1], 0.01),
      ];
    }),
  );
}
