import { describe, expect, test } from 'vitest';
import { createStream } from '../../data/random/streams.js';
import { samplingOf } from '../../data/samplers.js';
import type { GroupGradients } from '../../src/analysis/studies/minibatch/gradient-log.js';
import { cosineWindows, meanMinibatchCosine } from '../../src/analysis/studies/minibatch/cosine.js';
import { smithRegulariser } from '../../src/analysis/measures/smith-regulariser.js';
import { minibatchSeries, minibatchVariance } from '../../src/analysis/studies/minibatch/variance.js';

type Vector = readonly number[];

const dot = (a: Vector, b: Vector): number => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
const sum = (vectors: readonly Vector[], size: number): Vector =>
  Array.from({ length: size }, (_, i) => vectors.reduce((total, vector) => total + vector[i]!, 0));

/** A population of per-example gradients in groups. */
interface Example {
  readonly group: string;
  readonly gradient: Vector;
}

/** The log of one minibatch a step, computed from the examples themselves. */
function logOf(minibatches: readonly (readonly Example[])[], size: number): GroupGradients {
  const share = (batch: readonly Example[], group: string): Vector =>
    sum(
      batch
        .filter((example) => group === 'minibatch' || example.group === group)
        .map(({ gradient }) => gradient),
      size,
    ).map((value) => value / batch.length);
  const of = (batch: readonly Example[], group: string): readonly Example[] =>
    batch.filter((example) => group === 'minibatch' || example.group === group);
  const series = (value: (batch: readonly Example[]) => number): Float64Array =>
    Float64Array.from(minibatches, value);
  return {
    steps: Int32Array.from(minibatches, (_, i) => i + 1),
    cosine: (a, b) =>
      series((batch) => {
        const [x, y] = [share(batch, a), share(batch, b)];
        const isThere = of(batch, a).length * of(batch, b).length > 0;
        return isThere ? dot(x, y) / Math.sqrt(dot(x, x) * dot(y, y)) : NaN;
      }),
    norm2: (group) => series((batch) => dot(share(batch, group), share(batch, group))),
    exampleNorm2: (group) =>
      series((batch) => of(batch, group).reduce((total, { gradient }) => total + dot(gradient, gradient), 0)),
    count: (group) => series((batch) => of(batch, group).length),
  };
}

function subsets<T>(items: readonly T[], size: number): T[][] {
  if (size === 0) return [[]];
  return items.flatMap((item, i) => subsets(items.slice(i + 1), size - 1).map((rest) => [item, ...rest]));
}

const shuffle = (batchSize: number) => samplingOf({ sampler: 'shuffle', batchSize, examples: 8 });

const random = createStream(11, 'test');
const size = 5;
const population: Example[] = Array.from({ length: 8 }, (_, i) => ({
  group: i < 4 ? 'd' : 'q',
  gradient: Array.from({ length: size }, (_, j) => 0.4 * j - 0.5 + random.normal()),
}));
const mean = sum(
  population.map(({ gradient }) => gradient),
  size,
).map((value) => value / population.length);
const gamma =
  population.reduce((total, { gradient }) => total + dot(gradient, gradient), 0) / population.length -
  dot(mean, mean);

describe('averaged over every minibatch that can be drawn, the estimators are exact', () => {
  test.each([2, 4, 7])('gradient variance and norm from minibatches of %i of 8 examples', (batchSize) => {
    const all = subsets(population, batchSize);
    const estimate = minibatchVariance(minibatchSeries(logOf(all, size)), shuffle(batchSize), {
      from: 0,
      to: all.length,
    });
    if (typeof estimate === 'string') throw new Error(estimate);
    expect(estimate.minibatches).toBe(all.length);
    expect(estimate.gamma).toBeCloseTo(gamma, 12);
    expect(estimate.meanNorm2).toBeCloseTo(dot(mean, mean), 12);
    // Without the finite-population correction the norm would come out too small.
    const uncorrected = estimate.meanNorm2 - estimate.gamma / (population.length - 1);
    expect(Math.abs(uncorrected - dot(mean, mean))).toBeGreaterThan(0.1 * dot(mean, mean));
  });

  test('the expected squared norm of a minibatch gradient is what Smith penalises', () => {
    const batchSize = 4;
    const all = subsets(population, batchSize);
    const norms = logOf(all, size).norm2('minibatch');
    const rated = { gamma, meanNorm2: dot(mean, mean), learningRate: 0.1 };
    const penalty = smithRegulariser([rated], shuffle(batchSize));
    const average = norms.reduce((total, value) => total + value, 0) / norms.length;
    expect(penalty.norm + penalty.variance).toBeCloseTo((0.1 / 4) * average, 12);
    expect(smithRegulariser([rated], shuffle(8)).variance).toBe(0);
  });
});

describe('mean cosine', () => {
  test('is the mean over the minibatches of the range of the cosine of the two shares', () => {
    const batches = [population, population.slice(2, 6), population.slice(1), population.slice(0, 5)];
    const cosineOf = (batch: readonly Example[]): number => {
      const [d, q] = ['d', 'q'].map((group) =>
        sum(
          batch.filter((example) => example.group === group).map(({ gradient }) => gradient),
          size,
        ),
      ) as [Vector, Vector];
      return dot(d, q) / Math.sqrt(dot(d, d) * dot(q, q));
    };
    const mean = meanMinibatchCosine(logOf(batches, size), 'd', 'q', { from: 1, to: 3 });
    expect(mean).toBeCloseTo((cosineOf(batches[1]!) + cosineOf(batches[2]!)) / 2, 12);
  });

  test('is absent, with the reason, where nothing was measured', () => {
    const batches = [population.slice(0, 4), population.slice(4)];
    expect(meanMinibatchCosine(logOf(batches, size), 'd', 'q', { from: 0, to: 2 })).toMatch(
      /no minibatch between steps 0 and 2/,
    );
    const nothing = minibatchSeries(logOf([], size));
    expect(minibatchVariance(nothing, shuffle(4), { from: 0, to: 9 })).toMatch(/no minibatch/);
    expect(minibatchVariance(nothing, shuffle(1), { from: 0, to: 9 })).toMatch(/one example/);
  });
});

test('windows without both groups are gaps', () => {
  const windows = cosineWindows(
    logOf([population, population.slice(0, 4), population.slice(2, 6)], size),
    'd',
    'q',
    3,
    1,
  );
  expect(windows.steps).toEqual([1, 2, 3]);
  expect(windows.mean.map((value) => value === null)).toEqual([false, true, false]);
});
