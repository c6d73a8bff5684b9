import { permutationsHeap, sampleCorrelation } from 'simple-statistics';
import { assertEqualLength, assertProbability, unusable } from '../check.js';
import { normalQuantile } from '../distributions/normal.js';
import { studentTTwoSided } from '../distributions/student-t.js';
import { absent, estimateOf } from '../estimate.js';
import type { Estimate } from '../estimate.js';
import { midranks } from '../ranks.js';
import type { IntervalOptions } from '../seeds/mean.js';

/** Up to so many pairs the p-value counts all permutations: 8! = 40 320. */
const exactPairs = 8;

/**
 * Spearman's rank correlation of `x` and `y`, `[run]` each, ties with mean ranks. Interval by Fisher's z with
 * standard error sqrt((1 + rho^2/2) / (n - 3)) (Bonett and Wright 2000); p two-sided, over all permutations up to 8
 * pairs, by t = rho sqrt((n-2) / (1 - rho^2)) on n - 2 degrees of freedom beyond. A row is one independent run.
 *
 * No interval for fewer than 5 pairs or |rho| = 1. Absent for fewer than 3 pairs, a constant side or a number that
 * is not finite. Throws a RangeError when the two differ in length or for a level outside (0, 1).
 *
 * @example spearman([1, 2, 3, 4, 5], [1, 3, 2, 5, 4]) // rho 0.8, p 0.133
 */
export function spearman(
  x: ArrayLike<number>,
  y: ArrayLike<number>,
  options: IntervalOptions = {},
): Estimate {
  const { level = 0.95 } = options;
  assertProbability('level', level);
  assertEqualLength('correlated values', x, y);
  const reason = unusable(x, 3, 'seed') ?? unusable(y, 3, 'seed');
  if (reason !== null) return absent(reason);
  const n = x.length;
  const ranks = [midranks(Array.from(x)), midranks(Array.from(y))] as const;
  if (ranks.some((side) => side.every((rank) => rank === side[0]))) return absent('one side is constant');
  const rho = Math.max(-1, Math.min(1, sampleCorrelation([...ranks[0]], [...ranks[1]])));
  const perfect = 1 - Math.abs(rho) < 1e-12;
  const pValue =
    n <= exactPairs
      ? exactPValue(ranks[0], ranks[1])
      : perfect
        ? 0
        : studentTTwoSided(rho * Math.sqrt((n - 2) / (1 - rho * rho)), n - 2);
  const common = {
    estimate: rho,
    pValue,
    test: 'spearman',
    level,
    method: 'fisher-z',
    unit: 'seed',
    units: n,
    seeds: n,
  } as const;
  if (perfect) return estimateOf({ ...common, missing: 'the ranks agree perfectly' });
  if (n < 5) return estimateOf({ ...common, missing: `${n} pairs, at least 5 needed` });
  const z = Math.atanh(rho);
  const reach = normalQuantile(0.5 * (1 + level)) * Math.sqrt((1 + (rho * rho) / 2) / (n - 3));
  return estimateOf({ ...common, interval: [Math.tanh(z - reach), Math.tanh(z + reach)] });
}

/** Share of all pairings whose rank correlation is at least as large in size. */
function exactPValue(a: readonly number[], b: readonly number[]): number {
  const n = a.length;
  const centre = (n + 1) / 2;
  const products = (order: readonly number[]): number =>
    Math.abs(order.reduce((sum, rank, i) => sum + (rank - centre) * (a[i]! - centre), 0));
  const threshold = products(b) - 1e-9;
  const orders = permutationsHeap([...b]);
  return orders.filter((order) => products(order) >= threshold).length / orders.length;
}
