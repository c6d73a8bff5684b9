import { assertProbability } from '../check.js';
import { findRootAbove } from '../root.js';
import { incompleteBeta } from './beta.js';
import { normalCdf, normalQuantile } from './normal.js';

/**
 * P(T > t) for Student's t with `degreesOfFreedom` > 0, not necessarily an integer; Infinity is the normal law. P(T
 * > t) = I_x(nu/2, 1/2) / 2 with x = nu / (nu + t^2) for t >= 0 (DLMF 8.17). Relative error in the tail about
 * 1e-13, 1e-11 for a million degrees of freedom. Throws a RangeError unless the degrees of freedom are positive.
 */
export function studentTUpperTail(t: number, degreesOfFreedom: number): number {
  if (!(degreesOfFreedom > 0)) throw new RangeError(`no degrees of freedom: ${degreesOfFreedom}`);
  if (degreesOfFreedom === Infinity) return normalCdf(-t);
  if (t < 0) return 1 - studentTUpperTail(-t, degreesOfFreedom);
  const x = 1 / (1 + (t * t) / degreesOfFreedom);
  const y = 1 / (1 + degreesOfFreedom / (t * t));
  return 0.5 * incompleteBeta(x, y, 0.5 * degreesOfFreedom, 0.5);
}

/** P(|T| >= |t|), the two-sided p-value of a t statistic. */
export function studentTTwoSided(t: number, degreesOfFreedom: number): number {
  return Math.min(1, 2 * studentTUpperTail(Math.abs(t), degreesOfFreedom));
}

/**
 * The t with P(T <= t) = `p`, relative error as there. Throws a RangeError unless 0 < `p` < 1 and the degrees of
 * freedom are positive.
 *
 * @example studentTQuantile(0.975, 9) // 2.262157162798
 */
export function studentTQuantile(p: number, degreesOfFreedom: number): number {
  assertProbability('p', p);
  if (degreesOfFreedom === Infinity) return normalQuantile(p);
  if (p === 0.5) return 0;
  const tail = Math.min(p, 1 - p);
  // On asinh(t) the logarithm of the tail is nearly straight, from the middle to far out.
  const u = findRootAbove((u) => Math.log(studentTUpperTail(Math.sinh(u), degreesOfFreedom) / tail), 0, 1);
  return p < 0.5 ? -Math.sinh(u) : Math.sinh(u);
}
