import { describe, expect, it } from 'vitest';
import { createStream } from '../../../../data/random/streams.js';
import {
  allDerangements,
  allPermutations,
  isDerangement,
  randomDerangement,
} from '../../../../src/analysis/inference/permutation/derangements.js';
import { matchingTest } from '../../../../src/analysis/inference/permutation/matching-test.js';
import { fillSigns, signFlips } from '../../../../src/analysis/inference/permutation/sign-flips.js';
import { tagFlipTest } from '../../../../src/analysis/inference/permutation/tag-flip.js';
import { tagShuffleTest } from '../../../../src/analysis/inference/permutation/tag-shuffle.js';
import { signFlipTest } from '../../../../src/analysis/inference/seeds/sign-flip.js';
import { squareBlocks } from '../../../../src/analysis/inference/u-statistics/entity-blocks.js';
import { present } from '../support/fixture.js';
import { pairReference } from '../support/pairs.js';

const stream = createStream(0, 'permutation test');

describe('derangements', () => {
  it('are counted out: 1, 2, 9, 44, 265', () => {
    expect([2, 3, 4, 5, 6].map((n) => allDerangements(n).length)).toEqual([1, 2, 9, 44, 265]);
    expect(new Set(allPermutations(6).map((order) => order.join())).size).toBe(720);
    expect(allDerangements(1)).toEqual([]);
    expect(() => allDerangements(7)).toThrow('too many items to enumerate: 7');
  });

  it('are drawn uniformly, without fixed points', () => {
    const counts = new Map<string, number>();
    for (let draw = 0; draw < 9000; draw++) {
      const order = randomDerangement(4, stream);
      expect(isDerangement(order)).toBe(true);
      const key = order.join();
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    expect(counts.size).toBe(9);
    // Chi-square with 8 degrees of freedom: 26.1 is its 99.9 % point.
    const chi = [...counts.values()].reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
    expect(chi).toBeLessThan(26.1);
    expect(isDerangement(randomDerangement(100, stream))).toBe(true);
    expect(() => randomDerangement(1, stream)).toThrow('items is no integer of at least 2: 1');
  });
});

describe('sign flips', () => {
  it('are all of them, each once, up to 14 units', () => {
    const { exact, total, vectors } = signFlips(5, stream, {});
    const seen = new Set(Array.from(vectors, (signs) => signs.join()));
    expect([exact, total, seen.size]).toEqual([true, 32, 32]);
    expect(signFlips(14, stream, {})).toMatchObject({ exact: true, total: 16_384 });
    expect(signFlips(15, stream, { draws: 7 })).toMatchObject({ exact: false, total: 7 });
  });

  it('are fair when drawn, beyond one word of bits', () => {
    const signs = new Int8Array(60);
    const sums = new Float64Array(60);
    for (let draw = 0; draw < 4000; draw++) {
      fillSigns(signs, stream);
      for (let i = 0; i < 60; i++) sums[i]! += signs[i]!;
    }
    for (const sum of sums) expect(Math.abs(sum)).toBeLessThan(4.5 * Math.sqrt(4000));
  });
});

describe('matchingTest', () => {
  it('agrees with all permutations and derangements of numpy', () => {
    const { square, matched, mismatched, nullMean, nullBand, matchingGreater, matchingTwoSided } =
      pairReference;
    const blocks = squareBlocks(square.flat());
    const result = present(matchingTest(blocks, stream));
    expect(result.matched).toBeCloseTo(matched, 12);
    expect(result.mismatched).toBeCloseTo(mismatched, 12);
    expect(result.mismatched).toBeCloseTo(nullMean, 12);
    expect(result.nullBand).toEqual(nullBand.map((end): unknown => expect.closeTo(end, 10)));
    expect(result.test.pValue).toBeCloseTo(matchingTwoSided, 12);
    const greater = present(matchingTest(blocks, stream, { alternative: 'greater' }));
    expect(greater.test.pValue).toBeCloseTo(matchingGreater, 12);
  });

  it('finds a diagonal, by draws', () => {
    const n = 12;
    const means = Array.from({ length: n * n }, (_, i) => stream.normal() + (i % (n + 1) === 0 ? 2 : 0));
    const { test, matched, nullBand } = present(matchingTest(squareBlocks(means), stream, { draws: 999 }));
    expect(test.pValue).toBeLessThan(0.01);
    expect(test.resampling?.draws).toBe(999);
    expect(matched).toBeGreaterThan(nullBand[1]);
  });

  it('is absent for two entities or a product that is not finite', () => {
    expect(matchingTest(squareBlocks([1, 2, 3, 4]), stream).kind).toBe('absent');
    expect(matchingTest(squareBlocks([1, 2, 3, 4, NaN, 1, 2, 3, 4]), stream).kind).toBe('absent');
  });
});

describe('tag tests', () => {
  it('flip labels entity by entity: with one entity a seed that is the sign-flip test over seeds', () => {
    const values = [0.4, -0.2, 0.9, 0.3, 0.5, -0.1];
    const flips = present(
      tagFlipTest(
        values.map((value) => [value]),
        stream,
      ),
    );
    const seeds = present(signFlipTest(values, stream));
    expect(flips.pValue).toBe(seeds.pValue);
    expect(flips.statistic).toBeCloseTo(seeds.statistic, 14);
    expect(flips).toMatchObject({ unit: 'entity', units: 6, seeds: 6 });
  });

  it('find a planted tag effect, paired better than unpaired', () => {
    const seeds = Array.from({ length: 3 }, () =>
      Array.from({ length: 20 }, () => {
        const level = 2 * stream.normal();
        return { plus: level + 0.5 + 0.5 * stream.normal(), minus: level + 0.5 * stream.normal() };
      }),
    );
    const paired = present(
      tagFlipTest(
        seeds.map((seed) => seed.map(({ plus, minus }) => plus - minus)),
        stream,
      ),
    );
    const unpaired = present(
      tagShuffleTest(
        seeds.map((seed) => ({ plus: seed.map((e) => e.plus), minus: seed.map((e) => e.minus) })),
        stream,
      ),
    );
    expect(paired.pValue).toBeLessThan(0.001);
    expect(unpaired.pValue).toBeGreaterThan(paired.pValue);
    expect(unpaired.statistic).toBeCloseTo(paired.statistic, 12);
    expect(unpaired).toMatchObject({ units: 120, seeds: 3, resampling: { draws: 10_000 } });
  });

  it('shuffle labels within their seed only', () => {
    // Seeds of very different level, no tag effect within: labels exchanged between seeds would find one.
    const seeds = [
      { plus: [100, 101, 102, 103], minus: [100.5] },
      { plus: [0.5], minus: [0, 1, 2, 3] },
    ];
    expect(present(tagShuffleTest(seeds, stream)).pValue).toBeGreaterThan(0.2);
  });

  it('count equal statistics as equal', () => {
    const seeds = [{ plus: [0.1, 0.2, 0.3], minus: [0.3, 0.2, 0.1] }];
    expect(present(tagShuffleTest(seeds, stream)).pValue).toBe(1);
  });

  it('are absent without entities', () => {
    expect(tagFlipTest([], stream)).toEqual({ kind: 'absent', reason: 'no seeds' });
    expect(tagFlipTest([[1], []], stream)).toEqual({
      kind: 'absent',
      reason: 'seed 2 of 2: 0 entities, at least 1 needed',
    });
    expect(tagShuffleTest([{ plus: [1], minus: [NaN] }], stream).kind).toBe('absent');
  });
});
