import { normalQuantile } from '../distributions/normal.js';
import { studentTQuantile } from '../distributions/student-t.js';

/**
 * The normal deviate at whose probability a bootstrap distribution over `n` units is cut: t_{(1+level)/2, n-1},
 * times sqrt(n / (n-1)) where the resampled variance has divisor n instead of n - 1 (`narrow`).
 *
 * A percentile or BCa interval reaches as far as z times a standard deviation that is too small by sqrt((n-1)/n);
 * for 8 units that covers 89 % instead of 95 %. Cutting further out makes the interval of a mean of normal data
 * agree with the t interval: the expanded percentile interval of Hesterberg, "What teachers should know about the
 * bootstrap" (2015), here also inside BCa. Tends to the plain deviate as n grows.
 *
 * @example tailDeviate(0.95, 8, true) // 2.528 instead of 1.960
 */
export function tailDeviate(level: number, n: number, narrow: boolean): number {
  const p = 0.5 * (1 + level);
  return studentTQuantile(p, n - 1) * (narrow ? Math.sqrt(n / (n - 1)) : 1);
}

/** The deviate without expansion, as textbooks have it: z_{(1+level)/2}. */
export function plainDeviate(level: number): number {
  return normalQuantile(0.5 * (1 + level));
}
