import type { RandomStream } from '../../../data/random/streams.js';
import { midranks } from '../inference/ranks.js';

/** Pairs whose ranks are compared within groups, and the independent units that they come from. */
export interface RankedPairs {
  /** `[pair]` */
  readonly x: Float64Array;
  readonly y: Float64Array;
  /** `[pair]` group within which it is ranked, 0, 1, ... */
  readonly group: Int32Array;
  /** `[pair]` unit that a bootstrap draws as a whole, 0, 1, ... */
  readonly unit: Int32Array;
}

/** Mean over groups of the rank correlation within each. */
export interface GroupedCorrelation {
  /** Null where in every group one side is constant. */
  readonly score: number | null;
  /** `[group]`, NaN where one side is constant. */
  readonly scores: Float64Array;
  /** 95 % percentile interval over units; null for fewer than 5 of them, or without a score. */
  readonly interval: readonly [number, number] | null;
  readonly units: number;
}

/** Fewer units give no bootstrap interval. */
const fewestUnits = 5;

/**
 * Spearman's rank correlation within each group, ties with mean ranks, averaged over the groups. The interval is that of
 * a cluster bootstrap: units are drawn with replacement with all their pairs, as factors on the pairs; ranks are those of
 * the whole sample, so that a draw is a weighted correlation of fixed ranks.
 *
 * @param random null: no interval
 */
export function groupedCorrelation(
  { x, y, group, unit }: RankedPairs,
  random: RandomStream | null,
  draws = 1000,
): GroupedCorrelation {
  const groups = largest(group) + 1;
  const units = largest(unit) + 1;
  const [ranksX, ranksY] = [ranksWithin(x, group, groups), ranksWithin(y, group, groups)];
  const correlate = (factors: Float64Array): Float64Array =>
    weightedCorrelations(ranksX, ranksY, group, unit, factors, groups);
  const scores = correlate(new Float64Array(units).fill(1));
  const score = meanOfPresent(scores);
  if (score === null || random === null || units < fewestUnits)
    return { score, scores, interval: null, units };
  const found: number[] = [];
  for (let draw = 0; draw < draws; draw++) {
    const factors = new Float64Array(units);
    for (let i = 0; i < units; i++) factors[random.integer(units)]! += 1;
    const own = meanOfPresent(correlate(factors));
    if (own !== null) found.push(own);
  }
  found.sort((a, b) => a - b);
  const at = (share: number): number => found[Math.round(share * (found.length - 1))]!;
  return { score, scores, interval: found.length === 0 ? null : [at(0.025), at(0.975)], units };
}

/** Ranks within groups, minus their mean, so that sums of products are exact. */
function ranksWithin(values: Float64Array, group: Int32Array, groups: number): Float64Array {
  const members = Array.from({ length: groups }, (): number[] => []);
  group.forEach((own, i) => members[own]!.push(i));
  const ranks = new Float64Array(values.length);
  for (const own of members) {
    const centre = (own.length + 1) / 2;
    midranks(own.map((i) => values[i]!)).forEach((rank, k) => {
      ranks[own[k]!] = rank - centre;
    });
  }
  return ranks;
}

/** `[group]` Pearson correlations with a factor for each unit; NaN where one side is constant. */
function weightedCorrelations(
  x: Float64Array,
  y: Float64Array,
  group: Int32Array,
  unit: Int32Array,
  factors: Float64Array,
  groups: number,
): Float64Array {
  const sums = new Float64Array(6 * groups);
  for (let i = 0; i < x.length; i++) {
    const w = factors[unit[i]!]!;
    if (w === 0) continue;
    const [a, b, at] = [x[i]!, y[i]!, 6 * group[i]!];
    sums[at]! += w;
    sums[at + 1]! += w * a;
    sums[at + 2]! += w * b;
    sums[at + 3]! += w * a * a;
    sums[at + 4]! += w * b * b;
    sums[at + 5]! += w * a * b;
  }
  return Float64Array.from({ length: groups }, (_, own) => {
    const [n, sx, sy, sxx, syy, sxy] = sums.subarray(6 * own, 6 * own + 6);
    const varianceX = n! * sxx! - sx! * sx!;
    const varianceY = n! * syy! - sy! * sy!;
    // What is left of a constant side is rounding.
    if (!(varianceX > 1e-9 * n! * sxx!) || !(varianceY > 1e-9 * n! * syy!)) return NaN;
    return (n! * sxy! - sx! * sy!) / Math.sqrt(varianceX * varianceY);
  });
}

function meanOfPresent(values: Float64Array): number | null {
  const present = values.filter(Number.isFinite);
  return present.length === 0 ? null : present.reduce((sum, value) => sum + value, 0) / present.length;
}

function largest(values: Int32Array): number {
  return values.reduce((most, value) => Math.max(most, value), -1);
}
