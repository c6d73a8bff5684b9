import { describe, expect, it } from 'vitest';
import { beyond, claimPValue, judgeClaim, ratioClaimPValue } from '../../../src/analysis/inference/claim.js';
import { absent, estimateOf } from '../../../src/analysis/inference/estimate.js';
import { seedsNeeded } from '../../../src/analysis/inference/power.js';
import { effectSize } from '../../../src/analysis/inference/seeds/effect-size.js';
import { meanOverSeeds } from '../../../src/analysis/inference/seeds/mean.js';
import { present } from './support/fixture.js';

/** Ten seeds with mean `shift` and standard deviation about 1. */
const seeds = (shift: number, scale = 1): number[] =>
  [-1.5, -1, -0.7, -0.4, -0.1, 0.1, 0.4, 0.7, 1, 1.5].map((value) => shift + scale * value);
const estimate = (shift: number, scale = 1) => meanOverSeeds(seeds(shift, scale));

describe('judgeClaim', () => {
  it('supports a claim whose sign the interval shows', () => {
    expect(judgeClaim(estimate(1), 'positive', 0.2)).toEqual({
      verdict: 'supported',
      reason: 'The 95 % interval [0.333, 1.67] over 10 seeds lies above 0, as predicted.',
      negligible: false,
      seedsNeeded: null,
    });
    expect(judgeClaim(estimate(-1), 'negative', null)).toMatchObject({
      verdict: 'supported',
      negligible: null,
    });
  });

  it('contradicts it when the interval lies on the other side', () => {
    expect(judgeClaim(estimate(-1), 'positive', null)).toEqual({
      verdict: 'contradicted',
      reason: 'The 95 % interval [-1.67, -0.333] over 10 seeds lies below 0, against the prediction.',
      negligible: null,
      seedsNeeded: null,
    });
    expect(judgeClaim(estimate(1), 'negative', 0.1).verdict).toBe('contradicted');
  });

  it('contradicts it when the effect is shown to be too small to matter', () => {
    expect(judgeClaim(estimate(0, 0.1), 'positive', 0.2)).toEqual({
      verdict: 'contradicted',
      reason:
        'The 95 % interval [-0.0667, 0.0667] over 10 seeds shows that the effect is within [-0.2, 0.2], too small to matter.',
      negligible: true,
      seedsNeeded: null,
    });
  });

  it('uses the interval of level 90 % for equivalence, as two one-sided tests at 5 % do', () => {
    // 95 % reaches 0.0667, 90 % only 0.0547.
    expect(judgeClaim(estimate(0, 0.1), 'positive', 0.06).verdict).toBe('contradicted');
    expect(judgeClaim(estimate(0, 0.1), 'positive', 0.05).verdict).toBe('undecided');
    const value = present(estimate(0, 0.1));
    const bootstrapped = { ...value, method: 'bootstrap-bca', degreesOfFreedom: null } as const;
    expect(judgeClaim(bootstrapped, 'positive', 0.06).verdict).toBe('undecided');
    expect(judgeClaim(bootstrapped, 'positive', 0.07).verdict).toBe('contradicted');
  });

  it('says that a sign as predicted may be too small to matter', () => {
    const judgement = judgeClaim(estimate(0.1, 0.1), 'positive', 0.5);
    expect(judgement).toMatchObject({ verdict: 'supported', negligible: true });
    expect(judgement.reason).toMatch('as predicted, yet within [-0.5, 0.5], too small to matter.');
  });

  it('is undecided otherwise, with the seeds needed', () => {
    const values = seeds(0.4);
    const judgement = judgeClaim(meanOverSeeds(values), 'positive', 0.2);
    const needed = seedsNeeded(present(effectSize(values)).estimate);
    expect(judgement).toEqual({
      verdict: 'undecided',
      reason: `The 95 % interval [-0.267, 1.07] over 10 seeds includes 0; an effect of the observed size needs ${needed} seeds for 80 % power.`,
      negligible: false,
      seedsNeeded: needed,
    });
    expect(judgeClaim(estimate(0), 'positive', null)).toMatchObject({
      verdict: 'undecided',
      seedsNeeded: null,
    });
    expect(judgeClaim(estimate(0), 'positive', null).reason).toMatch('needs more than 100000 seeds');
  });

  it('judges the claim of no effect by its band', () => {
    expect(judgeClaim(estimate(0.02, 0.1), 'none', 0.2)).toMatchObject({
      verdict: 'supported',
      negligible: true,
    });
    expect(judgeClaim(estimate(1, 0.1), 'none', 0.2)).toMatchObject({
      verdict: 'contradicted',
      reason: 'The 95 % interval [0.933, 1.07] over 10 seeds lies outside [-0.2, 0.2]: there is an effect.',
    });
    expect(judgeClaim(estimate(0.2, 0.5), 'none', 0.2).verdict).toBe('undecided');
    expect(() => judgeClaim(estimate(0), 'none', null)).toThrow('needs an equivalence band');
    expect(() => judgeClaim(estimate(0), 'positive', [0.1, 0.2])).toThrow('no equivalence band about 0');
  });

  it('never judges without an interval over seeds', () => {
    expect(judgeClaim(absent('no run'), 'positive', null)).toEqual({
      verdict: 'undecided',
      reason: 'There is no estimate: no run.',
      negligible: null,
      seedsNeeded: null,
    });
    expect(judgeClaim(meanOverSeeds([1]), 'positive', 0.1).reason).toBe(
      'There is no interval: 1 seed shows no spread.',
    );
    const entities = meanOverSeeds(seeds(5), { unit: 'entity' });
    expect(judgeClaim(entities, 'positive', 0.1)).toMatchObject({
      verdict: 'undecided',
      reason: 'The 95 % interval [4.33, 5.67] over 10 entities is not about seeds.',
    });
  });

  it('says nothing of seeds needed where the standard error is unknown', () => {
    const bare = estimateOf({
      estimate: 1,
      interval: [-1, 3],
      level: 0.95,
      method: 'fisher-z',
      unit: 'seed',
      units: 10,
      seeds: 10,
    });
    expect(judgeClaim(bare, 'positive', null)).toEqual({
      verdict: 'undecided',
      reason: 'The 95 % interval [-1, 3] over 10 seeds includes 0.',
      negligible: null,
      seedsNeeded: null,
    });
  });
});

describe('claimPValue', () => {
  it('is that of the test behind the verdict', () => {
    const effect = estimate(0.4);
    expect(claimPValue(effect, 'positive', null)).toBe(present(effect).pValue);
    // Two one-sided tests at 5 %: the verdict turns where the p-value crosses it.
    for (const band of [0.05, 0.055, 0.06, 0.2]) {
      const supported = judgeClaim(estimate(0, 0.1), 'none', band).verdict === 'supported';
      expect(claimPValue(estimate(0, 0.1), 'none', band)! < 0.05).toBe(supported);
    }
    expect(claimPValue(estimate(1, 0.1), 'none', 0.2)!).toBeLessThan(0.001);
    expect(claimPValue(absent('no run'), 'positive', null)).toBeNull();
    expect(claimPValue(meanOverSeeds([1]), 'positive', null)).toBeNull();
  });

  it('moves with a threshold that was stated before', () => {
    const less = present(beyond(estimate(1), 0.5));
    const own = present(estimate(0.5));
    expect(less.estimate).toBeCloseTo(own.estimate, 12);
    expect(less.interval![0]).toBeCloseTo(own.interval![0], 12);
    expect(less.pValue).toBeCloseTo(own.pValue!, 12);
    expect(beyond(absent('no run'), 1)).toEqual(absent('no run'));
    expect(beyond(meanOverSeeds([1]), 0.5)).toMatchObject({ estimate: 0.5, interval: null });
  });

  it('of a ratio within a band does not depend on the unit of both parts, and is that of the mean where all denominators are 1', () => {
    const values = seeds(0.01, 0.02);
    const plain = claimPValue(meanOverSeeds(values), 'none', 0.05)!;
    for (const unit of [1, 1000, -5]) {
      const ratios = values.map((value) => ({ numerator: unit * value, denominator: unit }));
      expect(ratioClaimPValue(ratios, 0.05)).toBeCloseTo(plain, 12);
    }
    const off = values.map((value) => ({ numerator: value + 0.3, denominator: 1 }));
    expect(ratioClaimPValue(off, 0.05)!).toBeLessThan(1e-6);
    expect(ratioClaimPValue([{ numerator: 0, denominator: 1 }], 0.05)).toBeNull();
  });
});
