import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { bandInterval, equivalenceTest } from '../../../src/analysis/inference/equivalence.js';
import { distance, fixture, interval, intervalOf, numbers, present } from './support/fixture.js';

const reference = fixture(
  'equivalence',
  z.array(z.object({ values: numbers, band: interval, pLow: z.number(), pHigh: z.number(), interval })),
);

describe('equivalenceTest', () => {
  it('agrees with two one-sided t tests of scipy', () => {
    for (const { values, band, pLow, pHigh, interval } of reference) {
      const result = present(equivalenceTest(values, band));
      expect(result.pLow).toBeCloseTo(pLow, 12);
      expect(result.pHigh).toBeCloseTo(pHigh, 12);
      expect(result.pValue).toBe(Math.max(result.pLow, result.pHigh));
      expect(distance(intervalOf(result.difference), interval)).toBeLessThan(1e-12);
    }
  });

  it('is shown exactly when the interval of level 1 - 2 alpha lies in the band', () => {
    const values = [0.01, -0.02, 0, 0.01, -0.01];
    const [low, high] = intervalOf(present(equivalenceTest(values, 1)).difference);
    const edge = Math.max(-low, high);
    expect(present(equivalenceTest(values, edge * 1.001)).equivalent).toBe(true);
    expect(present(equivalenceTest(values, edge * 0.999)).equivalent).toBe(false);
  });

  it('does not take an effect that was not found for one that is gone', () => {
    const result = present(equivalenceTest([0.4, -0.5, 0.3, -0.1], 0.05));
    expect(present(result.difference).pValue).toBeGreaterThan(0.5);
    expect(result.equivalent).toBe(false);
  });

  it('is absent without spread, and wants a band about 0', () => {
    expect(equivalenceTest([0, 0, 0], 0.1)).toEqual({
      kind: 'absent',
      reason: 'all 3 seeds gave the same number',
    });
    expect(equivalenceTest([0.1], 0.1).kind).toBe('absent');
    expect(bandInterval(0.2)).toEqual([-0.2, 0.2]);
    for (const band of [0, -0.1, NaN, Infinity, [0.1, 0.2] as const]) {
      expect(() => bandInterval(band)).toThrow('no equivalence band about 0');
    }
    expect(() => equivalenceTest([1, 2], 1, { alpha: 0.5 })).toThrow('2 alpha is not between 0 and 1');
  });
});
