import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createStream } from '../../../../data/random/streams.js';
import { jonckheereTest } from '../../../../src/analysis/inference/trend/jonckheere.js';
import { leastSquares } from '../../../../src/analysis/inference/trend/least-squares.js';
import { pageTest } from '../../../../src/analysis/inference/trend/page.js';
import { slopeOverSeeds } from '../../../../src/analysis/inference/trend/slope-over-seeds.js';
import { spearman } from '../../../../src/analysis/inference/trend/spearman.js';
import { distance, fixture, interval, intervalOf, numbers, present, table } from '../support/fixture.js';

const stream = createStream(0, 'trend test');
const regression = fixture(
  'regression',
  z.object({
    response: numbers,
    columns: table,
    beta: numbers,
    standardError: numbers,
    p: numbers,
    interval: z.array(interval),
    varianceInflation: numbers,
    partialCorrelation: numbers,
    rSquared: z.number(),
    residualStandardDeviation: z.number(),
  }),
);
const ranks = fixture(
  'ranks',
  z.object({
    spearman: z.array(z.object({ x: numbers, y: numbers, rho: z.number(), p: z.number() })),
    jonckheere: z.array(
      z.object({
        arms: table,
        J: z.number(),
        greater: z.number(),
        less: z.number(),
        'two-sided': z.number(),
      }),
    ),
    page: z.object({ table, L: z.number(), greater: z.number() }),
  }),
);
const alternatives = ['two-sided', 'greater', 'less'] as const;

describe('leastSquares', () => {
  const names = ['log kappa', 'log updates', 'loss'];
  const predictors = regression.columns.map((values, i) => ({ name: names[i]!, values }));

  it('agrees with numpy: effects, errors, intervals, inflation, partial correlation', () => {
    const fit = present(leastSquares(regression.response, predictors));
    const effects = [fit.intercept, ...fit.coefficients.map(({ effect }) => effect)].map(present);
    for (const [i, effect] of effects.entries()) {
      expect(effect.estimate).toBeCloseTo(regression.beta[i]!, 10);
      expect(effect.standardError).toBeCloseTo(regression.standardError[i]!, 10);
      expect(effect.pValue).toBeCloseTo(regression.p[i]!, 9);
      expect(distance(intervalOf(effect), regression.interval[i]!)).toBeLessThan(1e-9);
    }
    for (const [j, coefficient] of fit.coefficients.entries()) {
      expect(coefficient.name).toBe(names[j]);
      expect(coefficient.varianceInflation).toBeCloseTo(regression.varianceInflation[j]!, 9);
      expect(coefficient.partialCorrelation).toBeCloseTo(regression.partialCorrelation[j]!, 10);
    }
    expect(fit.rSquared).toBeCloseTo(regression.rSquared, 12);
    expect(fit.residualStandardDeviation).toBeCloseTo(regression.residualStandardDeviation, 12);
    expect(fit).toMatchObject({ rows: 14, degreesOfFreedom: 10 });
  });

  it('is not troubled by units: a predictor in millionths far from 0', () => {
    const [first, ...others] = predictors;
    const scaled = { name: 'scaled', values: regression.columns[0]!.map((value) => 5e3 + value * 1e-3) };
    const fit = present(leastSquares(regression.response, [scaled, ...others]));
    const plain = present(leastSquares(regression.response, [first!, ...others]));
    const [a, b] = [fit, plain].map(({ coefficients }) => present(coefficients[0]!.effect));
    expect(a!.estimate * 1e-3).toBeCloseTo(b!.estimate, 8);
    expect(a!.pValue).toBeCloseTo(b!.pValue!, 6);
  });

  it('names collinear and constant predictors instead of inventing effects', () => {
    const [a, b] = regression.columns;
    const sum = a!.map((value, row) => 2 * value - b![row]!);
    const noise = regression.columns[2]!;
    const columns = Object.entries({ a: a!, b: b!, noise, sum }).map(([name, values]) => ({ name, values }));
    expect(leastSquares(regression.response, columns)).toEqual({
      kind: 'absent',
      reason: 'collinear predictors: a, b, sum',
    });
    const constant = { name: 'batch', values: a!.map(() => 16) };
    expect(leastSquares(regression.response, [constant])).toEqual({
      kind: 'absent',
      reason: 'batch is the same in all 14 rows',
    });
    expect(leastSquares([1, 2], [{ name: 'a', values: [1, 2] }])).toEqual({
      kind: 'absent',
      reason: '2 rows, at least 3 needed',
    });
    expect(leastSquares([1, NaN, 3], [{ name: 'a', values: [1, 2, 4] }]).kind).toBe('absent');
  });

  it('has no interval for an exact fit', () => {
    const fit = present(leastSquares([1, 3, 5, 7], [{ name: 'x', values: [0, 1, 2, 3] }]));
    expect(present(fit.coefficients[0]!.effect)).toMatchObject({
      estimate: expect.closeTo(2, 12),
      interval: null,
      missing: 'the fit is exact',
    });
    expect([fit.rSquared, fit.coefficients[0]!.partialCorrelation]).toEqual([1, null]);
  });

  it('refuses columns that do not fit', () => {
    expect(() => leastSquares([1, 2, 3], [])).toThrow('without predictors');
    expect(() => leastSquares([1, 2, 3], [{ name: 'a', values: [1] }])).toThrow(
      'a and the response differ in length',
    );
  });
});

describe('slopeOverSeeds', () => {
  const x = [1, 2, 3, 4];
  const seed = (slope: number, level: number) => ({
    response: x.map((value) => level + slope * value + 0.01 * Math.sin(7 * value)),
    predictors: [{ name: 'log kappa', values: x }],
  });

  it('takes the spread of slopes over seeds, not of runs over settings', () => {
    // Seeds of very different level: rows as independent would drown the slope.
    const slopes = slopeOverSeeds([seed(1, 0), seed(1.2, 50), seed(0.9, -80)]);
    const effect = present(slopes.get('log kappa')!);
    expect(effect).toMatchObject({ units: 3, seeds: 3, degreesOfFreedom: 2, method: 't' });
    expect(effect.estimate).toBeCloseTo(3.1 / 3, 1);
    expect(effect.pValue).toBeLessThan(0.02);
  });

  it('is absent with the reason of the seed that has no fit', () => {
    const flat = { response: [1, 1, 1, 1], predictors: [{ name: 'log kappa', values: x }] };
    expect(slopeOverSeeds([seed(1, 0), flat]).get('log kappa')).toEqual({
      kind: 'absent',
      reason: 'seed 2 of 2: the response is the same in all 4 rows',
    });
    const other = { response: x, predictors: [{ name: 'log B', values: x }] };
    expect(() => slopeOverSeeds([seed(1, 0), other])).toThrow('seed 2 has other predictors than seed 1');
  });
});

describe('spearman', () => {
  it('agrees with scipy, and with all permutations for few pairs', () => {
    for (const { x, y, rho, p } of ranks.spearman) {
      const estimate = present(spearman(x, y));
      expect(estimate.estimate).toBeCloseTo(rho, 12);
      expect(estimate.pValue).toBeCloseTo(p, 10);
      const [low, high] = intervalOf(estimate);
      expect(low < rho && rho < high && low >= -1 && high <= 1).toBe(true);
    }
  });

  it('says why there is no interval, or nothing', () => {
    expect(spearman([1, 2, 3, 4, 5, 6, 7, 8, 9], [2, 3, 4, 5, 6, 7, 8, 9, 10])).toMatchObject({
      estimate: 1,
      interval: null,
      missing: 'the ranks agree perfectly',
    });
    expect(present(spearman([1, 2, 3, 4], [1, 3, 2, 4])).missing).toBe('4 pairs, at least 5 needed');
    expect(spearman([1, 2, 3], [5, 5, 5])).toEqual({ kind: 'absent', reason: 'one side is constant' });
    expect(() => spearman([1, 2, 3], [1, 2])).toThrow('correlated values differ in length: 3 and 2');
  });
});

describe('jonckheereTest', () => {
  it('agrees with all permutations, exactly without ties and by draws with them', () => {
    for (const { arms, J, ...p } of ranks.jonckheere) {
      const ties = new Set(arms.flat()).size < arms.flat().length;
      for (const alternative of alternatives) {
        const test = present(jonckheereTest(arms, stream, { alternative }));
        expect(test.statistic).toBe(J);
        expect(test.resampling === null).toBe(!ties);
        expect(Math.abs(test.pValue - p[alternative])).toBeLessThan(ties ? 0.02 : 1e-12);
      }
    }
  });

  it('has counts that sum to the number of arrangements, for the largest exact case', () => {
    const arms = [0, 1, 2, 3, 4].map((arm) => [0, 1, 2, 3, 4].map((run) => 5 * arm + run));
    const ways =
      25 * 24 * 23 * 22 * 21 * 20 * 19 * 18 * 17 * 16 * 15 * 14 * 13 * 12 * 11 * 10 * 9 * 8 * 7 * 6;
    const { pValue, statistic } = present(jonckheereTest(arms, stream, { alternative: 'greater' }));
    expect(statistic).toBe(250);
    expect(pValue * (ways / 120 ** 4)).toBeCloseTo(1, 9);
  });

  it('is absent for one arm', () => {
    expect(jonckheereTest([[1, 2]], stream)).toEqual({ kind: 'absent', reason: '1 arms, at least 2 needed' });
    expect(jonckheereTest([[1], []], stream).kind).toBe('absent');
  });
});

describe('pageTest', () => {
  it('agrees with the exact test of scipy', () => {
    const { table, L, greater } = ranks.page;
    const test = present(pageTest(table, stream, { alternative: 'greater', draws: 40_000 }));
    expect(test.statistic).toBe(L);
    expect(Math.abs(test.pValue - greater)).toBeLessThan(0.006);
    const falling = table.map((row) => row.toReversed());
    const less = present(pageTest(falling, stream, { alternative: 'less', draws: 40_000 }));
    expect(Math.abs(less.pValue - greater)).toBeLessThan(0.006);
  });

  it('sees a trend within seeds of different level', () => {
    const seeds = [0, 100, -50, 30, 7].map((level) => [0, 1, 2, 3].map((arm) => level + arm));
    expect(present(pageTest(seeds, stream)).pValue).toBeLessThan(0.001);
  });

  it('says what is wrong', () => {
    expect(pageTest([], stream)).toEqual({ kind: 'absent', reason: 'no seeds' });
    expect(pageTest([[1]], stream).kind).toBe('absent');
    expect(() => pageTest([[1, 2], [1]], stream)).toThrow('seeds differ in arms: 2, 1');
  });
});
