import { describe, expect, it } from 'vitest';
import { createStream } from '../../../data/random/streams.js';
import { judgeClaim } from '../../../src/analysis/inference/claim.js';
import { equivalenceTest } from '../../../src/analysis/inference/equivalence.js';
import type { Absent } from '../../../src/analysis/inference/estimate.js';
import { holm } from '../../../src/analysis/inference/multiplicity/holm.js';
import { maxStatisticTest } from '../../../src/analysis/inference/multiplicity/max-statistic.js';
import { matchingTest } from '../../../src/analysis/inference/permutation/matching-test.js';
import { tagFlipTest } from '../../../src/analysis/inference/permutation/tag-flip.js';
import { tagShuffleTest } from '../../../src/analysis/inference/permutation/tag-shuffle.js';
import { meanOverSeeds } from '../../../src/analysis/inference/seeds/mean.js';
import { signFlipTest } from '../../../src/analysis/inference/seeds/sign-flip.js';
import { wilcoxonSignedRank } from '../../../src/analysis/inference/seeds/wilcoxon.js';
import { jonckheereTest } from '../../../src/analysis/inference/trend/jonckheere.js';
import { leastSquares } from '../../../src/analysis/inference/trend/least-squares.js';
import { pageTest } from '../../../src/analysis/inference/trend/page.js';
import { spearman } from '../../../src/analysis/inference/trend/spearman.js';
import { allPairsMean } from '../../../src/analysis/inference/u-statistics/all-pairs.js';
import { squareBlocks } from '../../../src/analysis/inference/u-statistics/entity-blocks.js';
import { matchedContrast } from '../../../src/analysis/inference/u-statistics/matched-contrast.js';
import { average } from './support/experiments.js';
import { present } from './support/fixture.js';
import { gramOf } from './support/pairs.js';

const stream = createStream(8, 'null');
const noise = (n: number): number[] => Array.from({ length: n }, () => stream.normal());
const rows = (n: number, size: number): number[][] => Array.from({ length: n }, () => noise(size));

/** Share of simulated experiments that report an effect. */
function found(experiments: number, reports: () => boolean): number {
  let count = 0;
  for (let i = 0; i < experiments; i++) if (reports()) count++;
  return count / experiments;
}

/** Whether p is at most 5 %; for a family the smallest p. */
const significant = (...results: readonly (Absent | { readonly pValue: number | null })[]): boolean =>
  results.some((result) => present(result).pValue! <= 0.05);

/** Definition x QA products of `n` entities whose vectors have a common part, but nothing of their own. */
function unmatched(n: number): number[] {
  const [definitions, questions] = [rows(n, 20), rows(n, 20)];
  return definitions.flatMap((d) =>
    questions.map((q) => d.reduce((sum, value, k) => sum + (value + 1) * (q[k]! + 1), 0)),
  );
}

/** Correlated layers of each of 10 seeds, `[layer][seed]`. */
function layers(): number[][] {
  const common = noise(10);
  return rows(6, 10).map((layer) => layer.map((value, seed) => value + common[seed]!));
}

/** Name, experiments, and one simulated experiment without an effect. */
const tests: readonly (readonly [name: string, experiments: number, reports: () => boolean])[] = [
  ['t test', 4000, () => significant(meanOverSeeds(noise(8)))],
  ['sign flips, exact', 2000, () => significant(signFlipTest(noise(8), stream))],
  ['sign flips, drawn', 1000, () => significant(signFlipTest(noise(15), stream, { draws: 399 }))],
  ['Wilcoxon', 4000, () => significant(wilcoxonSignedRank(noise(9)))],
  ['tag flips', 600, () => significant(tagFlipTest(rows(3, 8), stream, { draws: 399 }))],
  [
    'tag shuffles',
    600,
    () => {
      const seeds = [0, 50].map((level) => ({
        plus: noise(6).map((v) => v + level),
        minus: noise(9).map((v) => v + level),
      }));
      return significant(tagShuffleTest(seeds, stream, { draws: 399 }));
    },
  ],
  [
    'matching, 5 entities',
    1500,
    () => significant(present(matchingTest(squareBlocks(unmatched(5)), stream)).test),
  ],
  [
    'matching, 12 entities',
    600,
    () => significant(present(matchingTest(squareBlocks(unmatched(12)), stream, { draws: 399 })).test),
  ],
  ['matched contrast', 1500, () => significant(matchedContrast(squareBlocks(unmatched(20))))],
  ['all pairs', 1000, () => significant(allPairsMean(gramOf(rows(20, 30)), 20))],
  ['max statistic, any of 6 layers', 600, () => significant(...maxStatisticTest(layers(), stream))],
  [
    'Holm, any of 6 layers',
    1000,
    () => holm(layers().map((layer) => present(meanOverSeeds(layer)).pValue)).some((p) => p! <= 0.05),
  ],
  ['Spearman, exact', 100, () => significant(spearman(noise(7), noise(7)))],
  ['Spearman, t', 3000, () => significant(spearman(noise(15), noise(15)))],
  ['Jonckheere-Terpstra', 2000, () => significant(jonckheereTest(rows(3, 4), stream))],
  ['Page', 600, () => significant(pageTest(rows(6, 4), stream, { draws: 399 }))],
  [
    'least squares',
    1500,
    () => {
      const x = noise(12);
      const z = noise(12).map((value, i) => value + x[i]!);
      const response = z.map((value) => value + stream.normal());
      const fit = present(
        leastSquares(response, [
          { name: 'x', values: x },
          { name: 'z', values: z },
        ]),
      );
      return significant(fit.coefficients[0]!.effect);
    },
  ],
  [
    'equivalence, of an effect at the edge of the band',
    4000,
    () =>
      present(
        equivalenceTest(
          noise(10).map((value) => 0.8 + 0.5 * value),
          0.8,
        ),
      ).equivalent,
  ],
  [
    'a verdict on a claim',
    3000,
    () => judgeClaim(meanOverSeeds(noise(10)), 'positive', null).verdict !== 'undecided',
  ],
  [
    'a verdict on a claim, entities nested in seeds',
    2000,
    () =>
      judgeClaim(meanOverSeeds(rows(8, 5).map((seed) => stream.normal() + average(seed))), 'negative', null)
        .verdict !== 'undecided',
  ],
];

describe('without an effect, 95 % of experiments report none:', () => {
  it.each(tests)('%s', (_, experiments, reports) => {
    // A test of exactly 5 % comes out above in half of all simulations: allow 3 standard errors.
    const rounding = 3 * Math.sqrt((0.05 * 0.95) / experiments);
    expect(found(experiments, reports)).toBeLessThanOrEqual(0.05 + rounding);
  });
});

describe('what null simulations would show otherwise', () => {
  it('taking layers one by one finds an effect somewhere far too often', () => {
    const share = found(1000, () => significant(...layers().map((layer) => meanOverSeeds(layer))));
    expect(share).toBeGreaterThan(0.1);
  });
});
