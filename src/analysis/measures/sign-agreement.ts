import { assertEqualLength } from '../inference/check.js';
import type { Measured } from './measured.js';

/**
 * Share of coordinates where two gradients have the same sign, of those where neither is 0, less 1/2: in [-1/2, 1/2],
 * 0 for unrelated gradients. For Gaussian coordinates of correlation rho it is `arcsin(rho) / pi` (Sheppard 1899). The
 * reason when no coordinate is non-zero in both or one is NaN; throws a RangeError when they differ in length.
 */
export function signAgreement(a: ArrayLike<number>, b: ArrayLike<number>): Measured {
  assertEqualLength('gradients', a, b);
  let equal = 0;
  let both = 0;
  for (let p = 0; p < a.length; p++) {
    const sign = Math.sign(a[p]!) * Math.sign(b[p]!);
    if (Number.isNaN(sign)) return `coordinate ${p} is not a number`;
    if (sign === 0) continue;
    both++;
    if (sign > 0) equal++;
  }
  return both === 0 ? 'no coordinate is non-zero in both gradients' : equal / both - 0.5;
}
