import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { logBeta } from '../../../src/analysis/inference/distributions/beta.js';
import { noncentralTCdf } from '../../../src/analysis/inference/distributions/noncentral-t.js';
import { normalCdf, normalQuantile } from '../../../src/analysis/inference/distributions/normal.js';
import {
  studentTQuantile,
  studentTTwoSided,
  studentTUpperTail,
} from '../../../src/analysis/inference/distributions/student-t.js';
import { findRoot } from '../../../src/analysis/inference/root.js';
import { fixture, table } from './support/fixture.js';

const reference = fixture(
  'distributions',
  z.object({
    normalCdf: table,
    normalQuantile: table,
    tUpperTail: table,
    tQuantile: table,
    noncentralTCdf: table,
  }),
);

/** Error relative to numbers below 1, absolute above: small tails must be right in all digits. */
function error(value: number, truth: number): number {
  return value === truth ? 0 : Math.abs(value - truth) / Math.max(Math.abs(truth), Number.MIN_VALUE);
}

describe('distributions', () => {
  it('agree with scipy, tails included, to 1e-10 or better', () => {
    for (const [x, p] of reference.normalCdf) expect(error(normalCdf(x!), p!)).toBeLessThan(1e-12);
    for (const [p, x] of reference.normalQuantile) expect(error(normalQuantile(p!), x!)).toBeLessThan(1e-12);
    for (const [t, df, p] of reference.tUpperTail) {
      expect(error(studentTUpperTail(t!, df!), p!)).toBeLessThan(df! > 1e5 ? 2e-11 : 1e-12);
    }
    for (const [p, df, t] of reference.tQuantile) {
      expect(error(studentTQuantile(p!, df!), t!)).toBeLessThan(1e-10);
    }
    for (const [t, df, nc, p] of reference.noncentralTCdf) {
      expect(Math.abs(noncentralTCdf(t!, df!, nc!) - p!)).toBeLessThan(1e-11);
    }
  });

  it('have the textbook values', () => {
    expect(studentTQuantile(0.975, 9)).toBeCloseTo(2.262157162798, 12);
    expect(normalQuantile(0.975)).toBeCloseTo(1.959963984540054, 13);
    expect(studentTTwoSided(-2.262157162798, 9)).toBeCloseTo(0.05, 12);
    expect(logBeta(2, 3)).toBeCloseTo(Math.log(1 / 12), 13);
  });

  it('take the ends of the line', () => {
    expect([normalCdf(-Infinity), normalCdf(Infinity), normalCdf(0)]).toEqual([0, 1, 0.5]);
    expect([studentTUpperTail(Infinity, 3), studentTUpperTail(-Infinity, 3)]).toEqual([0, 1]);
    expect(studentTQuantile(0.975, Infinity)).toBe(normalQuantile(0.975));
    expect(studentTUpperTail(1.5, Infinity)).toBe(normalCdf(-1.5));
    expect(studentTQuantile(0.5, 4)).toBe(0);
  });

  it('refuse what is no probability and no degrees of freedom', () => {
    for (const p of [0, 1, -1, NaN]) {
      expect(() => normalQuantile(p)).toThrow(`p is not between 0 and 1: ${p}`);
      expect(() => studentTQuantile(p, 3)).toThrow(RangeError);
    }
    expect(() => studentTUpperTail(1, 0)).toThrow('no degrees of freedom: 0');
    expect(() => noncentralTCdf(1, Infinity, 0)).toThrow('no degrees of freedom');
  });
});

describe('findRoot', () => {
  it('finds roots of steep, flat and kinked functions', () => {
    expect(findRoot((x) => x * x - 2, 0, 2)).toBeCloseTo(Math.SQRT2, 15);
    expect(findRoot((x) => (x - 0.3) ** 3, 0, 1)).toBeCloseTo(0.3, 4);
    expect(findRoot((x) => Math.tanh(1e6 * (x - 0.7)), 0, 1)).toBeCloseTo(0.7, 14);
    expect(findRoot((x) => (x < 0.1 ? -1 : 1), 0, 1)).toBeCloseTo(0.1, 14);
    expect([findRoot((x) => x, 0, 1), findRoot((x) => x - 1, 0, 1)]).toEqual([0, 1]);
  });

  it('refuses an interval without a change of sign', () => {
    expect(() => findRoot((x) => x * x + 1, -1, 1)).toThrow('no change of sign between -1 and 1');
    expect(() => findRoot(() => NaN, -1, 1)).toThrow(RangeError);
  });
});
