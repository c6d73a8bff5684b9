import { describe, expect, it } from 'vitest';
import { createStream } from '../../../data/random/streams.js';
import { bcaInterval } from '../../../src/analysis/inference/bootstrap/bca.js';
import { bootstrap } from '../../../src/analysis/inference/bootstrap/bootstrap.js';
import { hierarchicalMean } from '../../../src/analysis/inference/bootstrap/hierarchical-mean.js';
import { percentileInterval } from '../../../src/analysis/inference/bootstrap/percentile.js';
import { nested, withReplacement } from '../../../src/analysis/inference/bootstrap/resample.js';
import { studentisedMean } from '../../../src/analysis/inference/bootstrap/studentised-mean.js';
import { judgeClaim } from '../../../src/analysis/inference/claim.js';
import { equivalenceTest } from '../../../src/analysis/inference/equivalence.js';
import { benjaminiHochberg } from '../../../src/analysis/inference/multiplicity/benjamini-hochberg.js';
import { holm } from '../../../src/analysis/inference/multiplicity/holm.js';
import { maxStatisticTest } from '../../../src/analysis/inference/multiplicity/max-statistic.js';
import { matchingTest } from '../../../src/analysis/inference/permutation/matching-test.js';
import { tagFlipTest } from '../../../src/analysis/inference/permutation/tag-flip.js';
import { tagShuffleTest } from '../../../src/analysis/inference/permutation/tag-shuffle.js';
import { effectSize } from '../../../src/analysis/inference/seeds/effect-size.js';
import { meanOverSeeds, pairedDifference } from '../../../src/analysis/inference/seeds/mean.js';
import { pairBySeed } from '../../../src/analysis/inference/seeds/pair-by-seed.js';
import { pairedComparison } from '../../../src/analysis/inference/seeds/paired-comparison.js';
import { signFlipTest } from '../../../src/analysis/inference/seeds/sign-flip.js';
import { wilcoxonSignedRank } from '../../../src/analysis/inference/seeds/wilcoxon.js';
import { jonckheereTest } from '../../../src/analysis/inference/trend/jonckheere.js';
import { leastSquares } from '../../../src/analysis/inference/trend/least-squares.js';
import { pageTest } from '../../../src/analysis/inference/trend/page.js';
import { slopeOverSeeds } from '../../../src/analysis/inference/trend/slope-over-seeds.js';
import { spearman } from '../../../src/analysis/inference/trend/spearman.js';
import { allPairsMean } from '../../../src/analysis/inference/u-statistics/all-pairs.js';
import { crossPairsMean } from '../../../src/analysis/inference/u-statistics/cross-pairs.js';
import { entityBlocks, matchedBlocks } from '../../../src/analysis/inference/u-statistics/entity-blocks.js';
import { matchedContrast } from '../../../src/analysis/inference/u-statistics/matched-contrast.js';
import { average } from './support/experiments.js';

let stream = createStream(0, 'inputs');
/** Unordered numbers with ties, as plain arrays and as typed ones. */
const plain = [0.3, -1.2, 0.8, 0.3, 2.1, -0.4, 1.7, 0.9, -0.4];
const typed = Float64Array.from(plain).reverse();
const keys = ['c', 'a', 'b'];
const table = [plain, plain.map((value) => value * 2), plain.toReversed()];
const typedTable = [typed, typed.map((value) => value + 1)];
const p = [0.2, null, 0.01, 0.04];
const pairs = [plain.slice(0, 3), plain.slice(3, 6), plain.slice(2, 5), plain.slice(4, 7), plain.slice(6, 9)];
const tagged = [{ plus: typed, minus: plain }];
const predictors = [{ name: 'x', values: typed }];
const maps = [new Map(plain.map((value, i) => [i, value])), new Map([[3, 1]])] as const;

const calls: Readonly<Record<string, () => unknown>> = {
  meanOverSeeds: () => [meanOverSeeds(plain), meanOverSeeds(typed)],
  pairedDifference: () => pairedDifference(plain, typed),
  pairedComparison: () => pairedComparison(typed, plain, stream),
  pairBySeed: () => pairBySeed(...maps),
  signFlipTest: () => [signFlipTest(plain, stream), signFlipTest(typed, stream)],
  wilcoxonSignedRank: () => [wilcoxonSignedRank(plain), wilcoxonSignedRank(typed)],
  effectSize: () => effectSize(typed),
  equivalenceTest: () => equivalenceTest(typed, 0.1),
  judgeClaim: () => judgeClaim(meanOverSeeds(plain), 'positive', [-0.1, 0.1]),
  bootstrap: () => bootstrap(plain, average, stream, { draws: 500 }),
  'bootstrap within': () =>
    bootstrap(pairs, (sample) => average(sample.flat()), stream, { within: withReplacement }),
  nested: () => nested(withReplacement<number>)(pairs, stream),
  percentileInterval: () => percentileInterval(typed, 1.9),
  bcaInterval: () => bcaInterval({ draws: typed, estimate: 0.4, jackknife: plain, deviate: 1.9 }),
  hierarchicalMean: () => [hierarchicalMean(table, stream), hierarchicalMean([pairs, typedTable], stream)],
  studentisedMean: () => studentisedMean(typed, stream),
  holm: () => holm(p),
  benjaminiHochberg: () => benjaminiHochberg(p),
  maxStatisticTest: () => [maxStatisticTest(table, stream), maxStatisticTest(typedTable, stream)],
  tagFlipTest: () => tagFlipTest(typedTable, stream, { draws: 50 }),
  tagShuffleTest: () => tagShuffleTest(tagged, stream, { draws: 50 }),
  'pairs of entities': () => {
    const blocks = entityBlocks(typed, keys, keys);
    const before = [...blocks.means];
    const matched = matchedBlocks(blocks);
    const results = [
      matchingTest(matched, stream),
      matchedContrast(matched),
      crossPairsMean(blocks),
      allPairsMean(typed, 3),
    ];
    expect([...blocks.means]).toEqual(before);
    expect([...matched.means]).toEqual(before);
    return results;
  },
  leastSquares: () => leastSquares(plain, predictors),
  slopeOverSeeds: () =>
    slopeOverSeeds([
      { response: plain, predictors },
      { response: typed, predictors },
    ]),
  spearman: () => [spearman(plain, typed), spearman(plain.slice(0, 6), typed.slice(0, 6))],
  jonckheereTest: () => [
    jonckheereTest(table, stream, { draws: 50 }),
    jonckheereTest(pairs, stream, { draws: 50 }),
  ],
  pageTest: () => pageTest(typedTable, stream, { draws: 50 }),
};

/** Freezes arrays and objects all the way down; a typed array cannot be frozen and is compared instead. */
function freeze(value: unknown): void {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return;
  Object.freeze(value);
  for (const part of Object.values(value)) freeze(part);
}

describe('inputs', () => {
  it.each(Object.entries(calls))('of %s are bit-identical afterwards', (_, call) => {
    for (const input of [plain, table, p, pairs, tagged, predictors, keys]) freeze(input);
    const before = JSON.stringify([
      plain,
      [...typed],
      typedTable.map((row) => [...row]),
      p,
      pairs,
      [...maps[0]],
    ]);
    call();
    const after = JSON.stringify([
      plain,
      [...typed],
      typedTable.map((row) => [...row]),
      p,
      pairs,
      [...maps[0]],
    ]);
    expect(after).toBe(before);
  });

  it('and the stream are all that results depend on', () => {
    const run = (seed: number): string => {
      stream = createStream(seed, 'inputs');
      return JSON.stringify(Object.values(calls).map((call) => call()));
    };
    expect(run(1)).toBe(run(1));
    expect(run(1)).not.toBe(run(2));
    expect(run(1)).not.toMatch(/NaN|Infinity/);
  });
});
