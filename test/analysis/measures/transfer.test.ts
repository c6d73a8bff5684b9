import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { explainedFraction } from '../../../src/analysis/measures/explained-fraction.js';
import { predictedChange } from '../../../src/analysis/measures/predicted-change.js';
import { transferGap, type TransferGap } from '../../../src/analysis/measures/transfer-gap.js';
import { present } from './support/gradients.js';

test('a quadratic loss changes exactly as predicted, and it falls along its gradient', () => {
  const loss = (x: number): number => 0.5 * 3 * (x - 2) ** 2;
  const gradient = 3 * (1 - 2);
  const u = gradient;
  const { firstOrder, total } = predictedChange(0.1, gradient * u, u * 3 * u);
  expect(total).toBeCloseTo(loss(1 - 0.1 * u) - loss(1), 14);
  expect(firstOrder).toBeLessThan(0);
  expect(predictedChange(0.1, 2).total).toBe(-0.2);
});

test('the explained fraction is a ratio of sums', () => {
  expect(explainedFraction([-1, -2], [-2, -4])).toBe(0.5);
  expect(explainedFraction([-1, -8], [-2, -4])).toBe(1.5);
  expect(explainedFraction([], [])).toBe('there are no changes');
  expect(explainedFraction([1, 2], [0.1 + 0.2, -0.3])).toBe('the loss did not change');
  expect(explainedFraction([NaN], [1])).toBe('it comes out as NaN');
  expect(() => explainedFraction([1], [])).toThrow('differ in length');
});

const number = fc.double({ min: -5, max: 5, noNaN: true });
const size = fc.double({ min: 0, max: 5, noNaN: true });
const factors = fc.record({ updateNorm: size, queryNorm: size, cosine: number, secondOrder: number });
const change = (own: {
  updateNorm: number;
  queryNorm: number;
  cosine: number;
  secondOrder: number;
}): number => predictedChange(1, own.updateNorm * own.queryNorm * own.cosine, 2 * own.secondOrder).total;

describe('the gap between tags', () => {
  test('is the sum of its parts and changes sign with the tags', () => {
    fc.assert(
      fc.property(factors, factors, (plus, minus) => {
        const gap = present(transferGap(plus, minus));
        const back = present(transferGap(minus, plus));
        expect(gap.norm + gap.angle + gap.curvature).toBeCloseTo(gap.total, 10);
        expect(gap.total).toBeCloseTo(change(plus) - change(minus), 10);
        for (const part of ['norm', 'angle', 'curvature', 'total'] as const) {
          expect(back[part]).toBeCloseTo(-gap[part], 10);
        }
      }),
    );
  });

  test('gives nothing to a factor that does not differ, all to the only one that does', () => {
    fc.assert(
      fc.property(factors, number, (own, cosine) => {
        const gap = present(transferGap({ ...own, cosine }, own));
        expect([gap.norm, gap.curvature]).toEqual([expect.closeTo(0, 10), expect.closeTo(0, 10)]);
        expect(gap.angle).toBeCloseTo(gap.total, 10);
      }),
    );
  });

  test('the rounding of a loss stays as small in every part, however different the lengths are', () => {
    const long = { updateNorm: 3, queryNorm: 2, cosine: 0.4, secondOrder: 0.01 };
    const short = { updateNorm: 1e-4, queryNorm: 2, cosine: 0.1, secondOrder: 0 };
    const rounding = 1e-7;
    const [exact, rounded] = [0, rounding].map((error) =>
      present(transferGap(long, { ...short, secondOrder: error })),
    ) as [TransferGap, TransferGap];
    for (const part of ['norm', 'angle', 'curvature', 'total'] as const) {
      expect(Math.abs(rounded[part] - exact[part])).toBeLessThan(1.01 * rounding);
    }
  });

  test('is absent for a factor that is not finite', () => {
    const own = { updateNorm: 1, queryNorm: 1, cosine: 0.5, secondOrder: 0 };
    expect(transferGap({ ...own, cosine: NaN }, own)).toBe('it comes out as NaN');
  });
});
