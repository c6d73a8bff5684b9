import { describe, expect, it } from 'vitest';
import { createStream } from '../../../data/random/streams.js';
import { ratioOfMeans, type Ratio } from '../../../src/analysis/inference/ratio.js';
import { meanOverSeeds } from '../../../src/analysis/inference/seeds/mean.js';
import { welchDifference } from '../../../src/analysis/inference/seeds/welch.js';
import { present } from './support/fixture.js';

const values: readonly Ratio[] = [
  { numerator: 3, denominator: 2 },
  { numerator: 5, denominator: 3 },
  { numerator: 4, denominator: 2.5 },
  { numerator: 9, denominator: 4 },
];

describe('ratioOfMeans', () => {
  it('is the ratio of the averages, and its interval the ratios that a t test does not tell apart', () => {
    const { estimate, interval, seeds } = present(ratioOfMeans(values));
    expect([estimate, seeds]).toEqual([21 / 11.5, 4]);
    const p = (theta: number): number =>
      present(meanOverSeeds(values.map((own) => own.numerator - theta * own.denominator))).pValue!;
    for (const end of interval!) expect(p(end)).toBeCloseTo(0.05, 9);
    expect(p(0.5 * (interval![0] + interval![1]))).toBeGreaterThan(0.05);
  });

  it('keeps seeds whose denominator is negative, which a mean of quotients would blow up or drop', () => {
    const noisy = [...values, { numerator: 4, denominator: -0.01 }];
    expect(present(ratioOfMeans(noisy)).estimate).toBeCloseTo(25 / 11.49, 12);
    expect(present(ratioOfMeans(noisy)).seeds).toBe(5);
  });

  it('has no interval, with the reason, where there is none', () => {
    expect(ratioOfMeans(values.slice(0, 1))).toMatchObject({ missing: '1 seed shows no spread' });
    expect(
      ratioOfMeans([
        { numerator: 1, denominator: 2 },
        { numerator: 3, denominator: 6 },
      ]),
    ).toMatchObject({ missing: 'all 2 seeds gave the same ratio' });
    const loose = [1, -1.2, 0.9, -0.5].map((denominator, i) => ({ numerator: 1 + i, denominator }));
    expect(ratioOfMeans(loose)).toMatchObject({
      missing: 'the denominator is not told from 0 by these seeds',
    });
    expect(ratioOfMeans([]).kind).toBe('absent');
    expect(ratioOfMeans([{ numerator: NaN, denominator: 1 }]).kind).toBe('absent');
    expect(ratioOfMeans([{ numerator: 1, denominator: 0 }])).toEqual({
      kind: 'absent',
      reason: 'the denominators add up to 0',
    });
  });

  it('covers the true ratio in 95 % of samples, where a mean of quotients is off', () => {
    const random = createStream(0, 'ratio');
    const draws = 1500;
    let [covered, quotients] = [0, 0];
    for (let draw = 0; draw < draws; draw++) {
      const sample = Array.from({ length: 8 }, (): Ratio => {
        const common = 0.1 * random.normal();
        return {
          numerator: 2 + common + 0.5 * random.normal(),
          denominator: 1 + common + 0.2 * random.normal(),
        };
      });
      const { interval } = present(ratioOfMeans(sample));
      if (interval === null || (interval[0] <= 2 && interval[1] >= 2)) covered++;
      quotients += sample.reduce((sum, own) => sum + own.numerator / own.denominator, 0) / 8 / draws;
    }
    expect(Math.abs(covered / draws - 0.95)).toBeLessThan(0.02);
    expect(Math.abs(quotients - 2)).toBeGreaterThan(0.03);
  });
});

describe('welchDifference', () => {
  it('has the mean difference, standard error and degrees of freedom of R, t.test(c(3, 4, 8), c(1, 2, 3))', () => {
    const found = present(welchDifference([3, 4, 8], [1, 2, 3]));
    expect(found.estimate).toBe(3);
    expect(found.standardError).toBeCloseTo(1.632993, 6);
    expect(found.degreesOfFreedom).toBeCloseTo(2.56, 10);
    expect(found.seeds).toBe(6);
  });

  it('is absent with one seed in an arm, and without any spread', () => {
    expect(welchDifference([1], [1, 2]).kind).toBe('absent');
    expect(welchDifference([1, 1], [2, 2])).toMatchObject({ kind: 'absent' });
  });
});
