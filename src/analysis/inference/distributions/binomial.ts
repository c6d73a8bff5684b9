import { assertInteger } from '../check.js';
import { incompleteBeta } from './beta.js';

/**
 * P(X >= successes) for X from Binomial(trials, p): I_p(k, n - k + 1) (DLMF 8.17.5). The p-value of a sign test is
 * `binomialUpperTail(k, n, 0.5)`. Throws a RangeError for a count that is no integer of at least 0, or p outside
 * [0, 1].
 *
 * @example binomialUpperTail(9, 10, 0.5) // 11 / 1024
 */
export function binomialUpperTail(successes: number, trials: number, p: number): number {
  assertInteger('successes', successes, 0);
  assertInteger('trials', trials, 0);
  if (!(p >= 0 && p <= 1)) throw new RangeError(`p is not between 0 and 1: ${p}`);
  if (successes === 0) return 1;
  if (successes > trials) return 0;
  return incompleteBeta(p, 1 - p, successes, trials - successes + 1);
}
