import { describe, expect, it } from 'vitest';
import { createStream } from '../../../data/random/streams.js';
import {
  minimalDetectableEffect,
  powerOf,
  seedsNeeded,
  seedsNeededByRule,
} from '../../../src/analysis/inference/power.js';
import { meanOverSeeds } from '../../../src/analysis/inference/seeds/mean.js';
import { fixture, present, table } from './support/fixture.js';

describe('power of the paired t test', () => {
  it("agrees with scipy's noncentral t", () => {
    for (const [d, n, alpha, power] of fixture('power', table)) {
      expect(powerOf(d!, n!, { alpha: alpha! })).toBeCloseTo(power!, 9);
      expect(powerOf(-d!, n!, { alpha: alpha! })).toBe(powerOf(d!, n!, { alpha: alpha! }));
    }
  });

  it('needs 10 seeds for d = 1 and 34 for d = 0.5, exactly and by the rule 7.85 / d^2 + 1.9', () => {
    expect([seedsNeeded(1), seedsNeeded(-0.5)]).toEqual([10, 34]);
    expect([seedsNeededByRule(1), seedsNeededByRule(0.5)]).toEqual([10, 34]);
    for (const d of [0.3, 0.7, 1.3]) {
      expect(seedsNeededByRule(d)).toBe(Math.ceil(7.8489 / (d * d) + 1.9207));
      const n = seedsNeeded(d)!;
      expect(powerOf(d, n)).toBeGreaterThanOrEqual(0.8);
      expect(powerOf(d, n - 1)).toBeLessThan(0.8);
    }
  });

  it('says null rather than a number out of reach', () => {
    expect([seedsNeeded(0), seedsNeeded(0.001), seedsNeededByRule(0)]).toEqual([null, null, null]);
    expect(seedsNeeded(1e6)).toBe(2);
  });

  it('inverts into the smallest effect that can be found', () => {
    for (const n of [2, 3, 10, 34]) expect(powerOf(minimalDetectableEffect(n), n)).toBeCloseTo(0.8, 10);
    expect(minimalDetectableEffect(10, { power: 0.9, alpha: 0.01 })).toBeGreaterThan(
      minimalDetectableEffect(10),
    );
  });

  it('refuses what cannot be planned', () => {
    expect(() => powerOf(1, 1)).toThrow('seeds is no integer of at least 2: 1');
    expect(() => seedsNeeded(1, { power: 1 })).toThrow('power is not between 0 and 1: 1');
    expect(() => minimalDetectableEffect(5, { power: 0.04 })).toThrow(
      'power 0.04 is no more than alpha 0.05',
    );
  });

  it('is kept: a planted effect of d = 1 is found by 10 seeds in 80 % of experiments', () => {
    const stream = createStream(3, 'power test');
    let found = 0;
    for (let experiment = 0; experiment < 2000; experiment++) {
      const mean = present(meanOverSeeds(Array.from({ length: 10 }, () => 1 + stream.normal())));
      if (mean.pValue! < 0.05) found++;
    }
    expect(Math.abs(found / 2000 - powerOf(1, 10))).toBeLessThan(0.03);
  });
});
