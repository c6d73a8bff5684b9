import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { tickLabels } from '../../../src/report/charts/tick-labels.js';
import { linearTicks, logTicks, ticksAround } from '../../../src/report/charts/ticks.js';
import { formatValue } from '../../../src/report/charts/index.js';

test.each([
  [[0, 1], 5, [0, 0.2, 0.4, 0.6, 0.8, 1]],
  [[0, 10], 4, [0, 2, 4, 6, 8, 10]],
  [[-0.05, 0.32], 4, [0, 0.1, 0.2, 0.3]],
  [[0, 19950], 10, [0, 2000, 4000, 6000, 8000, 10000, 12000, 14000, 16000, 18000]],
  [[1e9, 1e9 + 1], 2, [1e9, 1e9 + 0.5, 1e9 + 1]],
] as const)('linear ticks of %j', (range, most, expected) => {
  expect(linearTicks(range, most)).toEqual(expected);
});

test.each([
  [[0.02, 300], 6, [0.1, 1, 10, 100]],
  [[1e-6, 1e6], 4, [1e-4, 1, 1e4]],
  [[150, 700], 4, [200, 500]],
  [[2.1, 4.2], 4, [2.5, 3, 3.5, 4]],
] as const)('ticks on a log axis of %j', (range, most, expected) => {
  expect(logTicks(range, most)).toEqual(expected);
});

test('ticks around a range hold it', () => {
  expect(ticksAround([-1.5, 1.32], 6)).toEqual([-1.5, -1, -0.5, 0, 0.5, 1, 1.5]);
});

test.each([
  [[0, 0.05, 0.1], false, ['0', '0.05', '0.10']],
  [[0, 500, 1000, 1500], false, ['0', '500', '1k', '1.5k']],
  [[-2e6, 0, 2e6], false, ['-2M', '0', '2M']],
  [[0, 2e-7, 1e-6], false, ['0', '2e-7', '1e-6']],
  [[1e16, 2e16], false, ['1e16', '2e16']],
  [[1e6, 1e6 + 1], false, ['1M', '1000001']],
  [[1e-6, 1e-3, 1, 1e3], true, ['1e-6', '0.001', '1', '1k']],
] as const)('labels of %j', (ticks, log, expected) => {
  expect(tickLabels(ticks, log)).toEqual(expected);
});

test.each([
  [0.24137, '0.2414'],
  [-0.05, '-0.05'],
  [12345.67, '12345.7'],
  [0.00012345, '1.234e-4'],
  [1e-6, '1e-6'],
  [2.5e9, '2.5e9'],
  [0, '0'],
])('a read value %d', (value, expected) => {
  expect(formatValue(value)).toBe(expected);
});

test('ticks ascend, lie in the range, and have labels of their own', () => {
  const size = fc.double({ min: -1e12, max: 1e12, noNaN: true });
  fc.assert(
    fc.property(
      size,
      fc.double({ min: 1e-4, max: 1e12 }),
      fc.integer({ min: 2, max: 12 }),
      (low, span, most) => {
        const high = low + span;
        fc.pre(span > 1e-9 * Math.abs(low));
        const ticks = linearTicks([low, high], most);
        expect(ticks.length).toBeGreaterThan(0);
        expect(ticks.length).toBeLessThanOrEqual(2 * most);
        for (const [i, tick] of ticks.entries()) {
          const error = 1e-12 * span;
          expect(tick >= low - error && tick <= high + error).toBe(true);
          if (i > 0) expect(tick).toBeGreaterThan(ticks[i - 1]!);
        }
        expect(new Set(tickLabels(ticks, false)).size).toBe(ticks.length);
      },
    ),
  );
});
