import { describe, expect, test } from 'vitest';
import { gradientFlow, sgdSteps } from '../../../src/analysis/verify/descent.js';
import {
  partitionsOf,
  permutationsOf,
  range,
  sequencesOf,
  subsetsOf,
} from '../../../src/analysis/verify/enumerate.js';
import { smallLoss } from '../../../src/analysis/verify/network.js';
import { orderOfError } from '../../../src/analysis/verify/order-of-error.js';
import { shifted } from '../../../src/analysis/measures/hessian-vector.js';

describe('enumerations are complete and without repetition', () => {
  const distinct = (items: readonly unknown[]): number =>
    new Set(items.map((item) => JSON.stringify(item))).size;

  test.each([
    ['orders', permutationsOf(range(5)), 120],
    ['sequences', sequencesOf(range(3), 4), 81],
    ['subsets', subsetsOf(range(8), 3), 56],
    ['partitions into pairs', partitionsOf(range(8), 2), 105],
    ['partitions into fours', partitionsOf(range(8), 4), 35],
    ['partitions into threes', partitionsOf(range(6), 3), 10],
  ])('%s', (_name, found: readonly unknown[], count) => {
    expect([found.length, distinct(found)]).toEqual([count, count]);
  });
});

test('the gradient of the small loss is that of its loss', () => {
  const { start, gradients, loss } = smallLoss('8,9');
  const gradient = gradients[3]!(start);
  start.forEach((_, p) => {
    const unit = Float64Array.from(start, (__, q) => Number(p === q));
    const difference = loss(3, shifted(start, 1e-6, unit)) - loss(3, shifted(start, -1e-6, unit));
    expect(difference / 2e-6).toBeCloseTo(gradient[p]!, 8);
  });
});

test('flow and SGD on a parabola, and the order of an error', () => {
  const parabola = (w: Float64Array): Float64Array => w.slice();
  expect(gradientFlow(parabola, Float64Array.of(1), 0.5)[0]).toBeCloseTo(Math.exp(-0.5), 9);
  expect(sgdSteps([parabola, parabola], Float64Array.of(1), 0.1)[0]).toBeCloseTo(0.81, 15);
  expect(orderOfError([1, 2, 4], [3, 24, 192])).toBeCloseTo(3, 12);
});
