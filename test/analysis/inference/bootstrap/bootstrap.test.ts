import { mean, sampleStandardDeviation } from 'simple-statistics';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createStream, restoreStream } from '../../../../data/random/streams.js';
import { bcaInterval } from '../../../../src/analysis/inference/bootstrap/bca.js';
import { bootstrap, leaveOneOut } from '../../../../src/analysis/inference/bootstrap/bootstrap.js';
import { plainDeviate, tailDeviate } from '../../../../src/analysis/inference/bootstrap/expansion.js';
import { hierarchicalMean } from '../../../../src/analysis/inference/bootstrap/hierarchical-mean.js';
import { percentileInterval } from '../../../../src/analysis/inference/bootstrap/percentile.js';
import { nested, withReplacement } from '../../../../src/analysis/inference/bootstrap/resample.js';
import { studentisedMean } from '../../../../src/analysis/inference/bootstrap/studentised-mean.js';
import { meanOverSeeds } from '../../../../src/analysis/inference/seeds/mean.js';
import { distance, fixture, interval, intervalOf, numbers, present } from '../support/fixture.js';

const reference = fixture(
  'bca',
  z.array(
    z.object({
      statistic: z.enum(['mean', 'sd']),
      values: numbers,
      draws: numbers,
      estimate: z.number(),
      jackknife: numbers,
      BCa: interval,
      percentile: interval,
    }),
  ),
);
const statistics = {
  mean: (sample: readonly number[]) => mean([...sample]),
  sd: (sample: readonly number[]) => sampleStandardDeviation([...sample]),
};

describe('intervals from draws', () => {
  it('agree with scipy for the same draws', () => {
    for (const { statistic, values, draws, estimate, jackknife, BCa, percentile } of reference) {
      expect(distance(leaveOneOut(values, statistics[statistic]), jackknife)).toBeLessThan(1e-12);
      const deviate = plainDeviate(0.95);
      expect(distance(percentileInterval(draws, deviate), percentile)).toBeLessThan(1e-10);
      const bca = bcaInterval({ draws, estimate, jackknife, deviate });
      expect(distance(typeof bca === 'string' ? [] : bca, BCa)).toBeLessThan(1e-9);
    }
  });

  it('say why BCa has none', () => {
    const jackknife = [1, 2, 3];
    const input = { draws: [1, 2, 3], estimate: 0, jackknife, deviate: 2 };
    expect(bcaInterval(input)).toBe('every bootstrap draw lies on the same side of the estimate');
    expect(bcaInterval({ ...input, estimate: 2, jackknife: [1, NaN] })).toMatch('undefined without one');
    const skewed = [0, 0, 0, 0, 0, 0, 0, 0, -100];
    expect(bcaInterval({ ...input, estimate: 2, jackknife: skewed, deviate: 10 })).toMatch('too skewed');
    expect(bcaInterval({ ...input, estimate: 2, jackknife: [1, 1] })).toHaveLength(2);
  });

  it('reach further out for few units', () => {
    expect(tailDeviate(0.95, 8, true)).toBeCloseTo(2.364624 * Math.sqrt(8 / 7), 5);
    expect(tailDeviate(0.95, 1e6, true)).toBeCloseTo(plainDeviate(0.95), 4);
  });
});

describe('bootstrap', () => {
  const values = Array.from({ length: 12 }, (_, i) => Math.sin(i) + i / 10);

  it('comes close to the t interval for a mean, and can be had again from its stream state', () => {
    const stream = createStream(5, 'bootstrap test');
    stream.uniform();
    const estimate = present(bootstrap(values, statistics.mean, stream, { draws: 4000 }));
    const t = present(meanOverSeeds(values));
    expect(estimate.estimate).toBeCloseTo(t.estimate, 14);
    expect(estimate.standardError! / t.standardError!).toBeCloseTo(1, 1);
    expect(distance(intervalOf(estimate), intervalOf(t))).toBeLessThan(0.3 * t.standardError!);
    expect(estimate).toMatchObject({ method: 'bootstrap-bca', seeds: 12, resampling: { draws: 4000 } });
    const again = restoreStream(estimate.resampling!.streamState);
    expect(bootstrap(values, statistics.mean, again, { draws: 4000 })).toEqual(estimate);
  });

  it('draws 2000 times by default', () => {
    const estimate = bootstrap(values, statistics.mean, createStream(0, 'b'), { interval: 'percentile' });
    expect(present(estimate)).toMatchObject({ method: 'bootstrap-percentile', resampling: { draws: 2000 } });
  });

  it('draws parts of a drawn unit, and parts of parts', () => {
    const stream = createStream(2, 'nested test');
    const seeds = Array.from({ length: 6 }, (_, seed) =>
      [0, 1].map((redraw) => [0, 1, 2].map((e) => [seed, redraw, e])),
    );
    const seen = new Set<string>();
    type Seed = readonly (readonly (readonly number[])[])[];
    let mixed = 0;
    const statistic = (sample: readonly Seed[]): number => {
      for (const redraws of sample) {
        // What is drawn within a seed is of that seed, and within a redraw of that redraw.
        const sizes = redraws.length === 2 && redraws.every((entities) => entities.length === 3);
        const seed = new Set(redraws.flat().map(([seed]) => seed)).size === 1;
        const redraw = redraws.every((entities) => new Set(entities.map(([, redraw]) => redraw)).size === 1);
        if (!sizes || !seed || !redraw) mixed++;
        seen.add(JSON.stringify(redraws));
      }
      return mean(sample.flat(2).map(([seed, , entity]) => seed! + entity!));
    };
    const within = nested<readonly (readonly number[])[]>(withReplacement);
    const options = { draws: 1000, within, interval: 'percentile' } as const;
    const estimate = present(bootstrap<Seed>(seeds, statistic, stream, options));
    expect([estimate.estimate, mixed]).toEqual([3.5, 0]);
    expect(seen.size).toBeGreaterThan(100);
  });

  it('gives no interval where it would mean nothing, and says why', () => {
    const stream = createStream(0, 'b');
    const missing = (
      data: readonly number[],
      statistic: (sample: readonly number[]) => number,
      draws = 2000,
    ) => present(bootstrap(data, statistic, stream, { draws })).missing;
    expect(missing([1, 2, 3, 4], statistics.mean)).toBe('4 seeds, the bootstrap needs 5: use the t interval');
    expect(missing([1, 2, 3, 4, 6], statistics.mean, 200)).toMatch('200 draws, 1');
    expect(missing([2, 2, 2, 2, 2], statistics.mean)).toBe('all resamples give the same number');
    const fragile = (sample: readonly number[]) => (sample.includes(1) ? mean([...sample]) : NaN);
    expect(missing([1, 2, 3, 4, 5, 6], fragile)).toMatch(/^undefined in \d+ of 2000 resamples$/);
    expect(bootstrap([1, 2], () => NaN, stream)).toEqual({ kind: 'absent', reason: 'the statistic is NaN' });
    expect(bootstrap([], statistics.mean, stream)).toEqual({ kind: 'absent', reason: 'no seed' });
    expect(() => bootstrap([1], statistics.mean, stream, { draws: 1.5 })).toThrow('draws is no integer');
  });
});

describe('hierarchicalMean', () => {
  const stream = createStream(9, 'hierarchical test');
  const data = (between: number, seeds = 10, entities = 15): number[][] =>
    Array.from({ length: seeds }, () => {
      const shift = between * stream.normal();
      return Array.from({ length: entities }, () => 2 + shift + stream.normal());
    });

  it('has the variance of the mean over seeds, whether entities or seeds make the noise', () => {
    for (const between of [0, 0.2, 2]) {
      const seeds = data(between);
      const estimate = present(hierarchicalMean(seeds, stream, { draws: 8000 }));
      const t = present(meanOverSeeds(seeds.map((seed) => mean(seed))));
      expect(estimate.estimate).toBeCloseTo(t.estimate, 13);
      expect(Math.abs(estimate.standardError! / t.standardError! - 1)).toBeLessThan(0.05);
      expect(distance(intervalOf(estimate), intervalOf(t))).toBeLessThan(0.5 * t.standardError!);
    }
  });

  it('takes redraws of stage 2 for parts of their seed, not for seeds', () => {
    const redraws = Array.from({ length: 6 }, () => {
      const shift = 3 * stream.normal();
      return [0, 1, 2, 3].map(() => Array.from({ length: 8 }, () => shift + 0.1 * stream.normal()));
    });
    const estimate = present(hierarchicalMean(redraws, stream, { draws: 4000, interval: 'percentile' }));
    const t = present(meanOverSeeds(redraws.map((seed) => mean(seed.flat()))));
    expect(estimate).toMatchObject({ seeds: 6, units: 6, unit: 'seed', method: 'hierarchical-percentile' });
    expect(Math.abs(estimate.standardError! / t.standardError! - 1)).toBeLessThan(0.06);
    const wrong = present(meanOverSeeds(redraws.flat().map((entities) => mean(entities))));
    expect(estimate.standardError).toBeGreaterThan(1.5 * wrong.standardError!);
  });

  it('with one seed speaks of that seed only', () => {
    const [seed] = data(1, 1, 40);
    const estimate = present(hierarchicalMean([seed!], stream));
    const t = present(meanOverSeeds(seed!, { unit: 'entity' }));
    expect(estimate).toMatchObject({ unit: 'entity', units: 40, seeds: 1 });
    expect(Math.abs(estimate.standardError! / t.standardError! - 1)).toBeLessThan(0.1);
    expect(present(hierarchicalMean([[seed!]], stream))).toMatchObject({
      unit: 'entity',
      units: 40,
      seeds: 1,
    });
  });

  it('counts ragged seeds equally', () => {
    const ragged = [[1], [2, 2, 2], Float64Array.of(3, 3), [4], [5], [6]];
    expect(present(hierarchicalMean(ragged, stream)).estimate).toBe(3.5);
  });

  it('says what is missing', () => {
    expect(hierarchicalMean([], stream)).toEqual({ kind: 'absent', reason: 'no seeds' });
    expect(hierarchicalMean([[1], []], stream)).toEqual({
      kind: 'absent',
      reason: 'seed 2 of 2: no entities',
    });
    expect(
      hierarchicalMean(
        [
          [1, 2],
          [[3], [NaN]],
        ],
        stream,
      ),
    ).toEqual({
      kind: 'absent',
      reason: 'seed 2 of 2: entity 1 of 1 is NaN',
    });
    expect(
      present(
        hierarchicalMean(
          [
            [1, 2],
            [2, 3],
          ],
          stream,
        ),
      ).missing,
    ).toMatch('2 seeds, the bootstrap needs 5');
    const same = Array.from({ length: 6 }, () => [1, 1]);
    expect(present(hierarchicalMean(same, stream)).missing).toBe('all resamples give the same number');
  });

  it('is quick: 2000 draws of 20 seeds of 200 entities in well under a second', () => {
    const seeds = data(1, 20, 200);
    hierarchicalMean(seeds, stream, { draws: 100 });
    const start = performance.now();
    hierarchicalMean(seeds, stream);
    // 0.1 s on one core of a laptop; the bound leaves room for a busy machine.
    expect(performance.now() - start).toBeLessThan(900);
  });
});

describe('studentisedMean', () => {
  const stream = createStream(4, 'studentised test');

  it('comes close to t for symmetric values and leans with skewed ones', () => {
    const symmetric = [-2, -1.2, -0.7, -0.3, -0.1, 0.1, 0.3, 0.7, 1.2, 2];
    const t = present(meanOverSeeds(symmetric));
    const [low, high] = intervalOf(studentisedMean(symmetric, stream, { draws: 20_000 }));
    expect(distance([low, high], intervalOf(t))).toBeLessThan(0.3 * t.standardError!);
    const skewed = [0.1, 0.1, 0.2, 0.3, 0.3, 0.5, 0.7, 1, 1.8, 4];
    const estimate = present(studentisedMean(skewed, stream));
    const [left, right] = intervalOf(estimate);
    expect(right - estimate.estimate).toBeGreaterThan(1.5 * (estimate.estimate - left));
  });

  it('says what is missing', () => {
    expect(studentisedMean([], stream).kind).toBe('absent');
    expect(present(studentisedMean([1], stream)).missing).toMatch('1 seed, the bootstrap needs 5');
    expect(present(studentisedMean([1, 1, 1, 1, 1], stream)).missing).toBe('all seeds gave the same number');
    expect(present(studentisedMean([0, 0, 0, 0, 0, 1], stream)).missing).toMatch('without spread');
  });
});
