import { assertExamples, everyExample } from './gram.js';
import type { Gram } from './gram.js';

/** Sums of a group's inner products, from which come its mean gradient's norm, variance and diversity. */
export interface GradientSums {
  /** Number of examples n. */
  readonly n: number;
  /** `S_1 = sum_i |g_i|^2`. */
  readonly norms: number;
  /** `S_2 = sum_ij g_i . g_j = |sum_i g_i|^2`. */
  readonly products: number;
  /** Size up to which `products` may be rounding: gradients whose sum is shorter cancel. */
  readonly rounding: number;
}

/** Sums over a group, all examples by default. The reason for an empty group or a product that is not finite. */
export function gradientSums(
  gram: Gram,
  indices: readonly number[] = everyExample(gram),
): GradientSums | string {
  assertExamples(gram, indices);
  const n = indices.length;
  if (n === 0) return 'the group is empty';
  let norms = 0;
  let products = 0;
  let sizes = 0;
  for (const i of indices) {
    norms += gram.at(i, i);
    for (const j of indices) {
      products += gram.at(i, j);
      sizes += Math.abs(gram.at(i, j));
    }
  }
  if (!Number.isFinite(sizes)) return 'an inner product is not finite';
  return { n, norms, products, rounding: 16 * Number.EPSILON * sizes };
}
