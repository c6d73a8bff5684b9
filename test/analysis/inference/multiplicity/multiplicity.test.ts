import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createStream } from '../../../../data/random/streams.js';
import { benjaminiHochberg } from '../../../../src/analysis/inference/multiplicity/benjamini-hochberg.js';
import { holm, holmOfDisjoint } from '../../../../src/analysis/inference/multiplicity/holm.js';
import { maxStatisticTest } from '../../../../src/analysis/inference/multiplicity/max-statistic.js';
import { signFlipTest } from '../../../../src/analysis/inference/seeds/sign-flip.js';
import { fixture, numbers, present, table } from '../support/fixture.js';

const reference = fixture(
  'multiplicity',
  z.object({
    p: numbers,
    holm: numbers,
    benjaminiHochberg: numbers,
    family: table,
    singleStep: numbers,
    stepDown: numbers,
  }),
);
const close = (values: readonly number[]): unknown[] =>
  values.map((value): unknown => expect.closeTo(value, 12));
const stream = createStream(0, 'multiplicity test');

describe('adjusted p-values', () => {
  it('agree with scipy', () => {
    expect(holm(reference.p)).toEqual(close(reference.holm));
    expect(benjaminiHochberg(reference.p)).toEqual(close(reference.benjaminiHochberg));
  });

  it('leave absent tests absent and uncounted', () => {
    expect(holm([0.01, null, 0.04, 0.03])).toEqual([0.03, null, 0.06, 0.06]);
    expect(benjaminiHochberg([0.01, 0.04, null, 0.03])).toEqual(
      close([0.03, 0.04, 0.04]).toSpliced(2, 0, null),
    );
    expect([holm([]), benjaminiHochberg([null])]).toEqual([[], [null]]);
    expect(holm([0.9, 0.8])).toEqual([1, 1]);
  });

  it('count members, not hypotheses, where at most one of a member can be true', () => {
    expect(holmOfDisjoint([[0.9, 0.001], [0.04]])).toEqual([close([0.9, 0.002]), close([0.08])]);
    // Without a second hypothesis a rejection takes its member out; both rejected do so, too.
    expect(holmOfDisjoint([[0.001, null], [0.04]])).toEqual([[0.002, null], [0.04]]);
    expect(holmOfDisjoint([[0.001, 0.002], [0.04]])).toEqual([close([0.002, 0.004]), close([0.04])]);
    expect(holmOfDisjoint([[null, null], [0.04, 0.03], []])).toEqual([[null, null], close([0.04, 0.03]), []]);
    expect(() => holmOfDisjoint([[0.1, 1.2]])).toThrow('no p-value: 1.2');
  });

  it('refuse what is no p-value', () => {
    expect(() => holm([0.1, 1.2])).toThrow('no p-value: 1.2');
    expect(() => benjaminiHochberg([NaN])).toThrow('no p-value: NaN');
  });
});

describe('maxStatisticTest', () => {
  it('agrees with all sign vectors counted in numpy, step by step', () => {
    const tests = maxStatisticTest(reference.family, stream).map((test) => present(test).pValue);
    expect(tests).toEqual(close(reference.stepDown));
    // Stepping down can only make the p-values of the weaker members smaller.
    for (const [i, p] of tests.entries()) expect(p).toBeLessThanOrEqual(reference.singleStep[i]! + 1e-12);
    expect(Math.min(...tests)).toBeCloseTo(Math.min(...reference.singleStep), 12);
  });

  it('asks no price for members that are copies, where Holm does', () => {
    const [member] = reference.family;
    const alone = present(signFlipTest(member!, stream)).pValue;
    for (const test of maxStatisticTest([member!, member!, member!], stream)) {
      expect(present(test).pValue).toBeCloseTo(alone, 12);
    }
  });

  it('leaves a member out that is not finite, and bears members without spread', () => {
    const family = [
      [1, NaN, 1],
      [2, 2, 2],
      [0, 0, 0],
    ];
    const [first, second, third] = maxStatisticTest(family, stream);
    expect(first).toEqual({ kind: 'absent', reason: 'seed 2 of 3 is NaN' });
    expect(present(second!)).toMatchObject({ statistic: expect.closeTo(1, 12), pValue: 0.25 });
    expect(present(third!)).toMatchObject({ statistic: 0, pValue: 1 });
    expect(maxStatisticTest([], stream)).toEqual([]);
    expect(maxStatisticTest([[1]], stream)[0]!.kind).toBe('absent');
    expect(() => maxStatisticTest([[1, 2], [1]], stream)).toThrow('members differ in seeds: 2, 1');
  });

  it('draws flips for many seeds', () => {
    const family = [0.8, 0].map((shift) => Array.from({ length: 15 }, () => shift + stream.normal()));
    const [found, not] = maxStatisticTest(family, stream, { draws: 499 });
    expect(present(found!).pValue).toBeLessThan(0.05);
    expect(present(not!).resampling?.draws).toBe(499);
  });
});
