import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createStream } from '../../../../data/random/streams.js';
import { effectSize, hedgesCorrection } from '../../../../src/analysis/inference/seeds/effect-size.js';
import { meanOverSeeds, pairedDifference } from '../../../../src/analysis/inference/seeds/mean.js';
import { pairBySeed } from '../../../../src/analysis/inference/seeds/pair-by-seed.js';
import { pairedComparison } from '../../../../src/analysis/inference/seeds/paired-comparison.js';
import { signFlipTest } from '../../../../src/analysis/inference/seeds/sign-flip.js';
import { wilcoxonSignedRank } from '../../../../src/analysis/inference/seeds/wilcoxon.js';
import { distance, fixture, interval, intervalOf, numbers, present } from '../support/fixture.js';

const byAlternative = <S extends z.ZodType>(schema: S) =>
  z.object({ 'two-sided': schema, greater: schema, less: schema });
const reference = fixture(
  'paired',
  z.object({
    cases: z.array(
      z.object({
        values: numbers,
        t: z.number(),
        p: z.number(),
        interval,
        effect: z.object({ g: z.number(), interval, standardError: z.number() }),
        signFlip: byAlternative(z.number()),
        wilcoxon: byAlternative(interval),
      }),
    ),
    wilcoxonNormal: z.object({ values: numbers, 'two-sided': z.number(), greater: z.number() }),
  }),
);
const alternatives = ['two-sided', 'greater', 'less'] as const;
const stream = createStream(0, 'mean test');

describe('meanOverSeeds', () => {
  it('agrees with scipy: t statistic, p and interval', () => {
    for (const { values, t, p, interval } of reference.cases) {
      const mean = present(meanOverSeeds(values));
      expect(mean.estimate / mean.standardError!).toBeCloseTo(t, 10);
      expect(mean.pValue).toBeCloseTo(p, 11);
      expect(distance(intervalOf(mean), interval)).toBeLessThan(1e-11);
      expect(mean).toMatchObject({ seeds: values.length, units: values.length, test: 't', unit: 'seed' });
    }
  });

  it('gives the number of one seed without an interval, and says why', () => {
    expect(meanOverSeeds([0.4])).toMatchObject({
      estimate: 0.4,
      interval: null,
      standardError: null,
      pValue: null,
      missing: '1 seed shows no spread',
    });
  });

  it('claims no certainty when all seeds agree, also when they differ by rounding', () => {
    const same = {
      interval: null,
      standardError: 0,
      pValue: null,
      missing: 'all 3 seeds gave the same number',
    };
    expect(meanOverSeeds([0, 0, 0])).toMatchObject({ estimate: 0, ...same });
    expect(meanOverSeeds([0.3, 0.1 + 0.2, 0.3])).toMatchObject(same);
  });

  it('is absent for nothing and for a diverged seed', () => {
    expect(meanOverSeeds([])).toEqual({ kind: 'absent', reason: '0 seeds, at least 1 needed' });
    expect(meanOverSeeds([1, NaN, 2])).toEqual({ kind: 'absent', reason: 'seed 2 of 3 is NaN' });
    expect(meanOverSeeds([1, Infinity]).kind).toBe('absent');
  });

  it('knows entities from seeds', () => {
    expect(meanOverSeeds([1, 2, 4], { unit: 'entity' })).toMatchObject({
      unit: 'entity',
      units: 3,
      seeds: 1,
    });
  });

  it('refuses a level that is none', () => {
    expect(() => meanOverSeeds([1, 2], { level: 95 })).toThrow('level is not between 0 and 1: 95');
  });
});

describe('pairing', () => {
  it('takes differences within seeds', () => {
    expect(pairedDifference([3, 4, 8], [1, 2, 3])).toEqual(meanOverSeeds([2, 2, 5]));
    expect(() => pairedDifference([1], [1, 2])).toThrow('paired values differ in length: 1 and 2');
  });

  it('goes by the key, not the position, and names what has no partner', () => {
    const treated = new Map([
      [3, 30],
      [1, 10],
      [2, 20],
    ]);
    const control = new Map([
      [1, 1],
      [4, 4],
      [3, 3],
    ]);
    expect(pairBySeed(treated, control)).toEqual({
      seeds: [3, 1],
      treated: [30, 10],
      control: [3, 1],
      unpaired: [2, 4],
    });
  });
});

describe('signFlipTest', () => {
  it('agrees with all sign vectors counted in numpy, ties included', () => {
    for (const { values, signFlip } of reference.cases) {
      for (const alternative of alternatives) {
        const test = present(signFlipTest(values, stream, { alternative }));
        expect(test.pValue).toBeCloseTo(signFlip[alternative], 13);
        expect(test.resampling).toBeNull();
      }
    }
  });

  it('says that few seeds cannot reach 5 %', () => {
    expect(present(signFlipTest([1, 2, 3, 4, 5], stream)).smallestPValue).toBe(2 / 32);
    expect(present(signFlipTest([1, 2, 3, 4, 5], stream)).pValue).toBe(2 / 32);
    expect(present(signFlipTest([1, 2, 3, 4, 5, 6], stream)).pValue).toBe(2 / 64);
  });

  it('draws flips beyond 14 seeds, repeatably, and comes near the exact value', () => {
    const values = [0.3, -0.1, 0.5, 0.2, 0.1, -0.4, 0.6, 0.2, -0.2, 0.3, 0.1, 0.4];
    const exact = present(signFlipTest(values, stream));
    const longer = [...values, 0, 0, 0];
    const drawn = present(signFlipTest(longer, createStream(1, 'flips')));
    expect(Math.abs(drawn.pValue - exact.pValue)).toBeLessThan(0.01);
    expect(drawn.resampling).toEqual({ draws: 10_000, streamState: createStream(1, 'flips').state() });
    expect(signFlipTest(longer, createStream(1, 'flips'))).toEqual(drawn);
    const sure = Array.from({ length: 20 }, () => 1);
    expect(present(signFlipTest(sure, stream, { draws: 99 })).pValue).toBe(0.01);
  });

  it('is absent for what cannot be tested', () => {
    expect(signFlipTest([], stream).kind).toBe('absent');
    expect(signFlipTest([1, NaN], stream)).toEqual({ kind: 'absent', reason: 'seed 2 of 2 is NaN' });
    expect(() => signFlipTest([1, 2], stream, { draws: 0 })).toThrow('draws is no integer of at least 1: 0');
  });
});

describe('wilcoxonSignedRank', () => {
  it('agrees with scipy and, for ties, with all sign vectors', () => {
    for (const { values, wilcoxon } of reference.cases) {
      for (const alternative of alternatives) {
        const test = present(wilcoxonSignedRank(values, { alternative }));
        expect([test.statistic, test.pValue]).toEqual([
          wilcoxon[alternative][0],
          expect.closeTo(wilcoxon[alternative][1], 13),
        ]);
      }
    }
  });

  it('turns to the normal law for many differences, as scipy does', () => {
    const { values, greater, 'two-sided': twoSided } = reference.wilcoxonNormal;
    expect(present(wilcoxonSignedRank(values)).pValue).toBeCloseTo(twoSided, 11);
    expect(present(wilcoxonSignedRank(values, { alternative: 'greater' })).pValue).toBeCloseTo(greater, 11);
  });

  it('ties differences that rounding has parted', () => {
    const parted = [0.3 - 0.1, 0.4 - 0.2, -(0.5 - 0.3), 0.9];
    expect(new Set(parted.map(Math.abs)).size).toBeGreaterThan(2);
    expect(wilcoxonSignedRank(parted)).toEqual(wilcoxonSignedRank([2, 2, -2, 9]));
  });

  it('is absent where nothing differs', () => {
    expect(wilcoxonSignedRank([0, 0])).toEqual({ kind: 'absent', reason: 'all differences are 0' });
  });
});

describe('effectSize', () => {
  it("agrees with scipy's noncentral t: g, its interval and standard error", () => {
    for (const { values, effect } of reference.cases) {
      const g = present(effectSize(values));
      expect(g.estimate).toBeCloseTo(effect.g, 11);
      expect(g.standardError).toBeCloseTo(effect.standardError, 11);
      expect(distance(intervalOf(g), effect.interval)).toBeLessThan(1e-7);
    }
  });

  it('knows the correction for few seeds', () => {
    expect(hedgesCorrection(9)).toBeCloseTo(0.913874891792552, 12);
    expect(hedgesCorrection(2)).toBeCloseTo(Math.sqrt(1 / Math.PI), 12);
    expect(() => hedgesCorrection(1)).toThrow(RangeError);
  });

  it('is absent without spread or with two seeds', () => {
    expect(effectSize([1, 2]).kind).toBe('absent');
    expect(effectSize([1, 1, 1])).toEqual({ kind: 'absent', reason: 'all 3 seeds gave the same number' });
  });

  it('has an interval also for a huge effect, at once', () => {
    const start = performance.now();
    for (const values of [100, 1e7].map((level) => [0, 1, -0.5, 0.2, 0.1].map((value) => level + value))) {
      const [low, high] = intervalOf(effectSize(values));
      const d = values[0]! / 0.5412947441089743;
      // d sqrt(chi^2 / 4) at the 2.5 % and 97.5 % points 0.48442 and 11.14329 of chi^2 with 4 degrees of freedom.
      expect(low / d).toBeCloseTo(Math.sqrt(0.48442 / 4), 2);
      expect(high / d).toBeCloseTo(Math.sqrt(11.14329 / 4), 2);
    }
    expect(performance.now() - start).toBeLessThan(1000);
  });
});

describe('pairedComparison', () => {
  it('gathers what is said of a paired difference', () => {
    const treated = [0.62, 0.7, 0.66, 0.71, 0.64, 0.69];
    const control = [0.5, 0.55, 0.61, 0.52, 0.55, 0.6];
    const values = treated.map((value, i) => value - control[i]!);
    const comparison = pairedComparison(treated, control, stream);
    expect(comparison.difference).toEqual(meanOverSeeds(values));
    expect(comparison.signFlip).toEqual(signFlipTest(values, stream));
    expect(comparison.wilcoxon).toEqual(wilcoxonSignedRank(values));
    expect(comparison.effectSize).toEqual(effectSize(values));
    expect(comparison.power).toBeGreaterThan(0.9);
    expect(comparison.seedsNeeded).toBeLessThanOrEqual(6);
    expect(comparison.minimalDetectableEffect).toBeCloseTo(1.4347, 2);
  });

  it('has nothing to say of one seed', () => {
    expect(pairedComparison([1], [0], stream)).toMatchObject({
      power: null,
      seedsNeeded: null,
      minimalDetectableEffect: null,
    });
  });
});
