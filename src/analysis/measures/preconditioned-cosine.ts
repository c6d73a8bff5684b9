import { assertEqualLength } from '../inference/check.js';
import { measured } from './measured.js';
import type { Measured } from './measured.js';

/**
 * Cosine in the geometry of a diagonal preconditioner P, `g' P h / sqrt(g' P g  h' P h)`, a plain number in [-1, 1].
 * For Adam `P = diag(1 / (sqrt(v) + delta))` with v of the step before, since the current one holds the gradient
 * itself (as in LESS, Xia et al. 2024). The reason when a gradient has no length in P or a number is not finite;
 * throws a RangeError for lengths that differ or a negative entry of P.
 */
export function preconditionedCosine(
  g: ArrayLike<number>,
  h: ArrayLike<number>,
  diagonal: ArrayLike<number>,
): Measured {
  assertEqualLength('gradients', g, h);
  assertEqualLength('gradient and preconditioner', g, diagonal);
  const products = [0, 0, 0];
  for (let p = 0; p < g.length; p++) {
    const weight = diagonal[p]!;
    if (weight < 0) throw new RangeError(`entry ${p} of the preconditioner is negative: ${weight}`);
    products[0]! += weight * g[p]! * h[p]!;
    products[1]! += weight * g[p]! ** 2;
    products[2]! += weight * h[p]! ** 2;
  }
  const [product, gg, hh] = products;
  if (gg === 0 || hh === 0) return 'a gradient has no length in the preconditioned geometry';
  return measured(product! / Math.sqrt(gg!) / Math.sqrt(hh!));
}

/** Adam's preconditioner `1 / (sqrt(v) + delta)` of second moments `[parameter]`. */
export function adamDiagonal(secondMoments: ArrayLike<number>, delta: number): Float64Array {
  return Float64Array.from(secondMoments, (v) => 1 / (Math.sqrt(v) + delta));
}
