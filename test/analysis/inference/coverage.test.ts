import { describe, expect, it } from 'vitest';
import { createStream } from '../../../data/random/streams.js';
import { bcaInterval } from '../../../src/analysis/inference/bootstrap/bca.js';
import { bootstrap, leaveOneOut } from '../../../src/analysis/inference/bootstrap/bootstrap.js';
import { plainDeviate } from '../../../src/analysis/inference/bootstrap/expansion.js';
import { hierarchicalMean } from '../../../src/analysis/inference/bootstrap/hierarchical-mean.js';
import { withReplacement } from '../../../src/analysis/inference/bootstrap/resample.js';
import { studentisedMean } from '../../../src/analysis/inference/bootstrap/studentised-mean.js';
import { estimateOf } from '../../../src/analysis/inference/estimate.js';
import { meanOverSeeds } from '../../../src/analysis/inference/seeds/mean.js';
import { average, coverage, seedMeans } from './support/experiments.js';
import type { Design } from './support/experiments.js';

/** Entities nested in seeds; a fifth of the variance of a seed's mean is entity noise. */
const designs: readonly Design[] = (['normal', 'skewed'] as const).flatMap((law) =>
  [8, 10, 20].map((seeds) => ({ law, seeds, entities: 6, share: 0.2 })),
);
const stream = createStream(6, 'coverage');
const named = designs.map((design) => [`${design.law}, ${design.seeds} seeds`, design] as const);

/** Whether an interval of nominally 95 % covers in [92, 97] % of the repetitions. */
const nominal = (share: number): boolean => share >= 0.92 && share <= 0.97;

describe.each(named)('intervals for %s cover in 92 to 97 %%:', (_, design) => {
  it('t', () => {
    const share = coverage(design, 3000, stream, (data) => meanOverSeeds(seedMeans(data)));
    expect(share).toSatisfy(nominal);
  });

  it('studentised bootstrap', () => {
    const share = coverage(design, 500, stream, (data) =>
      studentisedMean(seedMeans(data), stream, { draws: 600 }),
    );
    expect(share).toSatisfy(nominal);
  });

  it('BCa with the small-sample expansion', () => {
    const share = coverage(design, 500, stream, (data) =>
      bootstrap(seedMeans(data), average, stream, { draws: 500 }),
    );
    expect(share).toSatisfy(nominal);
  });

  it('hierarchical BCa, variance matched', () => {
    const share = coverage(design, 500, stream, (data) => hierarchicalMean(data, stream, { draws: 400 }));
    expect(share).toSatisfy(nominal);
  });
});

describe('what the remedies are for', () => {
  it('textbook BCa over 8 seeds covers less than 91 %', () => {
    const design: Design = { law: 'normal', seeds: 8, entities: 6, share: 0.2 };
    const textbook = coverage(design, 500, stream, (data) => {
      const values = seedMeans(data);
      const draws = Array.from({ length: 500 }, () => average(withReplacement(values, stream)));
      const estimate = average(values);
      const jackknife = leaveOneOut(values, average);
      const interval = bcaInterval({ draws, estimate, jackknife, deviate: plainDeviate(0.95) });
      if (typeof interval === 'string') throw new Error(interval);
      const about = { level: 0.95, method: 'bootstrap-bca', unit: 'seed', units: 8, seeds: 8 } as const;
      return estimateOf({ estimate, interval, ...about });
    });
    expect(textbook).toBeLessThan(0.91);
  });

  it('drawing entities on top of seeds counts their noise twice: over 97 % where they are all the noise', () => {
    const design: Design = { law: 'normal', seeds: 10, entities: 6, share: 1 };
    const statistic = (sample: readonly (readonly number[])[]): number => average(sample.map(average));
    const twice = coverage(design, 200, stream, (data) => {
      const seeds = data.map((seed) => Array.from(seed));
      return bootstrap(seeds, statistic, stream, { draws: 300, within: withReplacement });
    });
    expect(twice).toBeGreaterThan(0.97);
    const matched = coverage(design, 500, stream, (data) => hierarchicalMean(data, stream, { draws: 400 }));
    expect(matched).toSatisfy(nominal);
  });

  it('redraws of one stage-1 model taken for seeds cover under 85 %; as parts of their seed they cover', () => {
    const design: Design = { law: 'normal', seeds: 8, entities: 4, share: 0.2 };
    const wrong = coverage(design, 500, stream, (data) => meanOverSeeds(data.flatMap((seed) => [...seed])));
    expect(wrong).toBeLessThan(0.85);
    const right = coverage(design, 500, stream, (data) => {
      const seeds = data.map((redraws) => Array.from(redraws, (value) => [value - 0.1, value + 0.1]));
      return hierarchicalMean(seeds, stream, { draws: 400 });
    });
    expect(right).toSatisfy(nominal);
  });

  it('BCa covers a ratio of averages over seeds', () => {
    const design: Design = { law: 'skewed', seeds: 20, entities: 2, share: 0.5 };
    // A seed gives a numerator and a denominator of mean 6 each; their ratio is 1, its excess 0.
    const excess = (sample: readonly Float64Array[]): number => {
      const numerator = average(sample.map((pair) => 6 + pair[0]!));
      return numerator / average(sample.map((pair) => 6 + pair[1]!)) - 1;
    };
    const share = coverage(design, 500, stream, (data) => bootstrap(data, excess, stream, { draws: 500 }));
    expect(share).toSatisfy(nominal);
  });
});
