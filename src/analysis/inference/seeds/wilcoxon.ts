import { unusable } from '../check.js';
import { normalCdf } from '../distributions/normal.js';
import { absent } from '../estimate.js';
import { midranks } from '../ranks.js';
import type { Alternative, TestResult } from '../test-result.js';

/** Options of {@link wilcoxonSignedRank}. */
export interface WilcoxonOptions {
  /** `two-sided` by default. */
  readonly alternative?: Alternative;
}

/** Up to so many non-zero differences the null distribution is counted out exactly, ties included. */
const exactUnits = 100;

/**
 * Wilcoxon signed-rank test of "the differences are symmetric about 0" over seeds. Statistic W+: the sum of the
 * ranks of |difference| over positive differences; zero differences are dropped, ties share their mean rank
 * (Wilcoxon 1945). Exact up to 100 non-zero differences: the distribution of W+ over all 2^n sign vectors of the
 * ranks at hand, so that ties need no correction. Normal beyond, with tie-corrected variance and no continuity
 * correction. `values`: `[seed]`. Absent for no non-zero difference or a number that is not finite.
 *
 * @example wilcoxonSignedRank([1, 2, 3, 4, 5, 6]) // W+ = 21, p = 2 / 64
 */
export function wilcoxonSignedRank(values: ArrayLike<number>, options: WilcoxonOptions = {}): TestResult {
  const { alternative = 'two-sided' } = options;
  const reason = unusable(values, 1, 'seed');
  if (reason !== null) return absent(reason);
  const differences = onGrid(Array.from(values)).filter((value) => value !== 0);
  const n = differences.length;
  if (n === 0) return absent('all differences are 0');
  const ranks = midranks(differences.map(Math.abs));
  const statistic = ranks.reduce((sum, rank, i) => (differences[i]! > 0 ? sum + rank : sum), 0);
  const tails = n <= exactUnits ? exactTails(ranks, statistic) : normalTails(ranks, statistic);
  const sides = alternative === 'two-sided' ? 2 : 1;
  const tail = {
    'two-sided': Math.min(1, 2 * Math.min(tails.lower, tails.upper)),
    greater: tails.upper,
    less: tails.lower,
  };
  return {
    kind: 'value',
    test: 'wilcoxon-signed-rank',
    statistic,
    pValue: tail[alternative],
    alternative,
    smallestPValue: sides * 2 ** -n,
    unit: 'seed',
    units: values.length,
    seeds: values.length,
    resampling: null,
  };
}

/**
 * Multiples of 1e-12 of the largest size: 0.3 - 0.1 and 0.4 - 0.2 differ in the last bit, and would not share a
 * rank.
 */
function onGrid(values: readonly number[]): number[] {
  const grid = 1e-12 * Math.max(...values.map(Math.abs));
  return grid === 0 ? [...values] : values.map((value) => Math.round(value / grid));
}

/** P(W <= statistic) and P(W >= statistic). */
interface Tails {
  readonly lower: number;
  readonly upper: number;
}

function exactTails(ranks: readonly number[], statistic: number): Tails {
  // Midranks are halves: doubled, they are the integers that index the distribution.
  const doubled = ranks.map((rank) => Math.round(2 * rank));
  const top = doubled.reduce((sum, rank) => sum + rank, 0);
  const probability = new Float64Array(top + 1);
  probability[0] = 1;
  let reached = 0;
  for (const rank of doubled) {
    reached += rank;
    for (let sum = reached; sum >= 0; sum--) {
      probability[sum] = 0.5 * (probability[sum]! + (sum >= rank ? probability[sum - rank]! : 0));
    }
  }
  const observed = Math.round(2 * statistic);
  const total = (from: number, to: number): number =>
    probability.subarray(from, to).reduce((sum, p) => sum + p, 0);
  return { lower: total(0, observed + 1), upper: total(observed, top + 1) };
}

function normalTails(ranks: readonly number[], statistic: number): Tails {
  // Each rank enters W+ with probability 1/2: variance sum(rank^2) / 4, which for ties is the corrected one.
  const mean = ranks.reduce((sum, rank) => sum + rank, 0) / 2;
  const variance = ranks.reduce((sum, rank) => sum + rank * rank, 0) / 4;
  const z = (statistic - mean) / Math.sqrt(variance);
  return { lower: normalCdf(z), upper: normalCdf(-z) };
}
