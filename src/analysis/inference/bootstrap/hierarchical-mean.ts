import { mean, sampleVariance } from 'simple-statistics';
import type { RandomStream } from '../../../../data/random/streams.js';
import { assertInteger, assertProbability, unusable } from '../check.js';
import { absent, estimateOf } from '../estimate.js';
import type { Estimate } from '../estimate.js';
import { bcaInterval } from './bca.js';
import { fewestUnits, fromDraws, leaveOneOut, tooFew } from './bootstrap.js';
import type { BootstrapOptions } from './bootstrap.js';
import { tailDeviate } from './expansion.js';
import { percentileInterval } from './percentile.js';

/**
 * Nested numbers: the entities' values of one seed, `[entity]`; or parts that are nested in turn, such as the
 * redraws of stage 2 of one seed, `[redraw][entity]`. Parts of different size count equally.
 */
export type Nested = ArrayLike<number> | readonly Nested[];

/**
 * Mean over seeds of numbers nested in seeds, with the interval of the hierarchical bootstrap: seeds are drawn,
 * then redraws within a drawn seed where there are any, then entities. `seeds`: `[seed][entity]` or
 * `[seed][redraw][entity]`, ragged as it may be; the estimate is the mean over seeds of the seed's mean.
 *
 * The spread of seed means holds the noise of their entities already, and a plain hierarchical bootstrap adds it a
 * second time: if entities are all the noise there is, its variance is doubled and 95 % covers 99 %. Here the
 * deviations at each level are scaled so that the variance of the draws is the unbiased estimate at that level
 * (variance-matched, shrunken residuals: Davison and Hinkley 1997, section 3.8), and the tails are expanded for few
 * seeds. The interval is BCa with jackknife over seeds, or percentile.
 *
 * With one seed the entities are the units: `unit` is `entity`, and the interval is about that seed's model only.
 * No interval with fewer than 5 units, too few draws for the tail, or no spread. Absent without seeds, without
 * entities in one of them, or with a number that is not finite.
 * Throws a RangeError for a level outside (0, 1) or draws that are no positive integer.
 */
export function hierarchicalMean(
  seeds: readonly Nested[],
  stream: RandomStream,
  options: BootstrapOptions = {},
): Estimate {
  const { draws = 2000, level = 0.95, interval = 'bca' } = options;
  assertProbability('level', level);
  assertInteger('draws', draws, 1);
  const reason = flaw(seeds);
  if (reason !== null) return absent(reason);
  const root = innermost(branch(seeds));
  const n = root.parts.length;
  const unit = seeds.length === 1 ? 'entity' : 'seed';
  const method = interval === 'bca' ? 'hierarchical-bca' : 'hierarchical-percentile';
  const common = { estimate: root.mean, level, method, unit, units: n, seeds: seeds.length } as const;
  const deviate = n < fewestUnits ? null : tailDeviate(level, n, false);
  const missing = tooFew(n, unit, draws, deviate);
  if (missing !== null || deviate === null) return estimateOf({ ...common, missing });
  const resampling = { draws, streamState: stream.state() };
  const distribution = Array.from({ length: draws }, () => root.mean + drawDeviation(root, stream));
  const jackknife = leaveOneOut(Array.from(root.parts), (rest) => mean([...rest]));
  const cut =
    interval === 'percentile'
      ? percentileInterval(distribution, deviate)
      : bcaInterval({ draws: distribution, estimate: root.mean, jackknife, deviate });
  return fromDraws({ ...common, resampling }, distribution, 1, cut);
}

/** What the bootstrap knows of a seed, a redraw, or the whole. */
interface Branch {
  /** Mean over the parts. */
  readonly mean: number;
  /** `[part]` means of the parts; for the lowest level the entities' values themselves. */
  readonly parts: Float64Array;
  /** The parts where they have parts in turn, null at the lowest level. */
  readonly branches: readonly Branch[] | null;
  /** Factor on the deviation of a drawn part from the mean. */
  readonly outer: number;
  /** Factor on the deviation within a drawn part. */
  readonly inner: number;
  /** Variance of a drawn mean of this branch. */
  readonly variance: number;
}

function branch(data: Nested): Branch {
  const branches = isLowest(data) ? null : data.map(branch);
  const parts = Float64Array.from(isLowest(data) ? data : branches!.map((part) => part.mean));
  const n = parts.length;
  const numbers = Array.from(parts);
  const centre = mean(numbers);
  // Mean variance that drawing within the parts would add, before scaling.
  const within = branches === null ? 0 : mean(branches.map((part) => part.variance));
  if (n === 1) return { mean: centre, parts, branches, outer: 0, inner: 1, variance: within };
  const target = sampleVariance(numbers);
  const drawn = (target * (n - 1)) / n;
  const inner = within <= target ? 1 : Math.sqrt(target / within);
  const outer = drawn === 0 ? 0 : Math.sqrt(Math.max(0, target - within) / drawn);
  return { mean: centre, parts, branches, outer, inner, variance: target / n };
}

/** Deviation of one drawn mean from the mean of the branch. */
function drawDeviation(node: Branch, stream: RandomStream): number {
  const { parts, branches, outer, inner } = node;
  const n = parts.length;
  let sum = 0;
  let within = 0;
  for (let k = 0; k < n; k++) {
    const i = n === 1 ? 0 : stream.integer(n);
    sum += parts[i]!;
    if (branches !== null) within += drawDeviation(branches[i]!, stream);
  }
  return outer * (sum / n - node.mean) + (inner * within) / n;
}

/** Goes down while there is one part only: with one seed the redraws are the units, with one redraw the entities. */
function innermost(node: Branch): Branch {
  return node.parts.length === 1 && node.branches !== null ? innermost(node.branches[0]!) : node;
}

function isLowest(data: Nested): data is ArrayLike<number> {
  return typeof data[0] === 'number';
}

function flaw(data: readonly Nested[]): string | null {
  if (data.length === 0) return 'no seeds';
  for (const [i, seed] of data.entries()) {
    const reason = flawWithin(seed);
    if (reason !== null) return `seed ${i + 1} of ${data.length}: ${reason}`;
  }
  return null;
}

function flawWithin(data: Nested): string | null {
  if (data.length === 0) return 'no entities';
  if (isLowest(data)) return unusable(data, 1, 'entity');
  return data.map(flawWithin).find((reason) => reason !== null) ?? null;
}
