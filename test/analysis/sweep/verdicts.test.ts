import fs from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createStream } from '../../../data/random/streams.js';
import { powerOf, seedsNeeded } from '../../../src/analysis/inference/power.js';
import { seedValue } from '../../../src/analysis/quantity.js';
import { plannedPower } from '../../../src/analysis/sweep/power-plan.js';
import { judgeSweep, type SweepVerdict } from '../../../src/analysis/sweep/verdicts.js';
import { verdictRows } from '../../../src/analysis/sweep/verdict-table.js';
import type { SweepPrediction } from '../../../src/store/sweep-design.js';
import { emptySweepRecord, sweepHash, type SweepRecord } from '../../../src/store/sweep-record.js';

interface ContrastFixture {
  readonly estimate: number;
  readonly interval: readonly [number, number];
  readonly p: number;
}

const fixture = JSON.parse(fs.readFileSync('test/fixtures/analysis/sweep.json', 'utf8')) as {
  readonly arms: Readonly<Record<string, readonly number[]>>;
  readonly band: number;
  readonly difference: ContrastFixture;
  readonly equivalence: Omit<ContrastFixture, 'interval'>;
  readonly trend: ContrastFixture;
  readonly holm: readonly number[];
  readonly welch: ContrastFixture;
  readonly pooled: ContrastFixture;
};

const quantity = 'internalization.strongGap';

const prediction = (changes: Partial<SweepPrediction> = {}): SweepPrediction => ({
  id: 'gap',
  quantity,
  contrast: { kind: 'difference', arm: 'a', minus: 'b' },
  paired: true,
  predicted: 'positive',
  band: null,
  because: 'it was planted',
  ...changes,
});

/** Verdicts on arms whose seeds are 0, 1, ... */
function judge(
  arms: Readonly<Record<string, readonly number[]>>,
  predictions: readonly SweepPrediction[],
  record: SweepRecord = emptySweepRecord('x'),
  begun: readonly { started: string; hash: string | null }[] = [],
): SweepVerdict[] {
  return judgeSweep({
    predictions,
    record,
    arms: Object.entries(arms).map(([name, values]) => ({
      name,
      begun,
      measured: [
        {
          quantity,
          label: 'strong gap',
          unit: 'accuracy',
          compared: values.map((value, seed) => seedValue(seed, value)),
        },
      ],
    })),
  });
}

/** Verdicts of many simulated sweeps with a true effect of so many standard deviations of the differences. */
function simulate(effect: number, own: SweepPrediction, seeds: number, draws: number): SweepVerdict[] {
  const stream = createStream(7, `sweep ${effect} ${seeds}`);
  return Array.from({ length: draws }, () => {
    const level = Array.from({ length: seeds }, () => stream.normal());
    const noise = (): number => stream.normal() / Math.SQRT2;
    return judge(
      { a: level.map((value) => value + effect + noise()), b: level.map((value) => value + noise()) },
      [own],
    )[0]!;
  });
}

const share = (verdicts: readonly SweepVerdict[], verdict: SweepVerdict['verdict']): number =>
  verdicts.filter((own) => own.verdict === verdict).length / verdicts.length;

describe('contrasts between arms', () => {
  const trend = (paired: boolean): SweepPrediction =>
    prediction({
      id: 'trend',
      paired,
      contrast: {
        kind: 'trend',
        key: 'stages.0.batchSize',
        scale: 'log',
        arms: [16, 32, 64, 128].map((at) => ({ arm: String(at), at })),
      },
    });
  const between = (arm: string, minus: string): SweepPrediction['contrast'] => ({
    kind: 'difference',
    arm,
    minus,
  });

  test('have the estimates, intervals, p-values and corrections of scipy', () => {
    const [difference, equivalence, slope] = judge(fixture.arms, [
      prediction({ contrast: between('128', '16') }),
      prediction({
        id: 'near',
        contrast: between('32', '16'),
        predicted: 'none',
        band: fixture.band,
      }),
      trend(true),
    ]) as [SweepVerdict, SweepVerdict, SweepVerdict];
    for (const [own, expected] of [
      [difference, fixture.difference],
      [slope, fixture.trend],
    ] as const) {
      expect(own.estimate).toMatchObject({
        estimate: expect.closeTo(expected.estimate, 10),
        interval: [expect.closeTo(expected.interval[0], 9), expect.closeTo(expected.interval[1], 9)],
        seeds: 8,
      });
      expect(own.pValue! / expected.p).toBeCloseTo(1, 8);
      expect(own.verdict).toBe('supports');
    }
    expect(equivalence.pValue! / fixture.equivalence.p).toBeCloseTo(1, 8);
    expect(equivalence).toMatchObject({ verdict: 'supports', negligible: true });
    [difference, equivalence, slope].forEach((own, i) =>
      expect(own.adjustedPValue! / fixture.holm[i]!).toBeCloseTo(1, 8),
    );
    expect([difference.unit, slope.unit]).toEqual(['accuracy', 'accuracy per doubling']);
  });

  test("of runs that are not paired are Welch's and of all runs", () => {
    const [welch, pooled] = judge(fixture.arms, [
      prediction({ contrast: between('128', '16'), paired: false }),
      trend(false),
    ]) as [SweepVerdict, SweepVerdict];
    for (const [own, expected] of [
      [welch, fixture.welch],
      [pooled, fixture.pooled],
    ] as const) {
      expect(own.estimate).toMatchObject({
        estimate: expect.closeTo(expected.estimate, 9),
        interval: [expect.closeTo(expected.interval[0], 8), expect.closeTo(expected.interval[1], 8)],
      });
      expect(own.pValue! / expected.p).toBeCloseTo(1, 6);
      expect(own.signFlipsPValue).toBeNull();
    }
  });

  test('are of seeds that all arms have, and say which they leave out', () => {
    const [own] = judge({ a: [1, 2, 3, 9], b: [0, 0.5, 2.5] }, [prediction()]);
    expect(own!.seeds).toEqual([
      { seed: 0, value: 1 },
      { seed: 1, value: 1.5 },
      { seed: 2, value: 0.5 },
    ]);
    expect(own!.left).toEqual([3]);
    expect(own!.reason).toMatch(/Seeds that not all arms have: 3\.$/);
  });

  test('of arms without runs, and of one seed, are inconclusive', () => {
    expect(judge({ a: [], b: [] }, [prediction()])[0]).toMatchObject({
      verdict: 'inconclusive',
      reason: 'There is no estimate: no seed has a value in every arm.',
      pValue: null,
    });
    expect(judge({ a: [2], b: [1] }, [prediction()])[0]).toMatchObject({
      verdict: 'inconclusive',
      reason: 'There is no interval: 1 seed shows no spread.',
    });
  });

  test('of arms that are the same, run by run, are inconclusive', () => {
    expect(judge({ a: [1, 2, 3], b: [1, 2, 3] }, [prediction()])[0]!.verdict).toBe('inconclusive');
  });
});

describe('verdicts on simulated sweeps', () => {
  test('without an effect are inconclusive as often as they should be', () => {
    const draws = 500;
    const found = simulate(0, prediction(), 8, draws);
    // 2.5 % on either side, within four standard errors.
    const reach = 4 * Math.sqrt((0.025 * 0.975) / draws);
    expect(Math.abs(share(found, 'supports') - 0.025)).toBeLessThan(reach);
    expect(Math.abs(share(found, 'contradicts') - 0.025)).toBeLessThan(reach);
  });

  test('find a planted effect at the stated power, and contradict the reverse', () => {
    // 10 seeds find one standard deviation with power 0.803.
    const reach = 4 * Math.sqrt((0.8 * 0.2) / 250);
    const found = simulate(1, prediction(), 10, 250);
    expect(Math.abs(share(found, 'supports') - 0.803)).toBeLessThan(reach);
    expect(share(found, 'contradicts')).toBe(0);
    const reversed = simulate(1, prediction({ predicted: 'negative' }), 10, 250);
    expect(Math.abs(share(reversed, 'contradicts') - 0.803)).toBeLessThan(reach);
    expect(share(reversed, 'supports')).toBe(0);
  });

  test('show that there is none within a band, and never where there is one outside it', () => {
    const equivalent = prediction({ predicted: 'none', band: 1 });
    expect(share(simulate(0, equivalent, 12, 60), 'supports')).toBeGreaterThan(0.8);
    // At the end of the band 5 % are taken for equivalent.
    const edge = share(simulate(1, equivalent, 12, 300), 'supports');
    expect(Math.abs(edge - 0.05)).toBeLessThan(4 * Math.sqrt((0.05 * 0.95) / 300));
    expect(share(simulate(3, equivalent, 12, 60), 'contradicts')).toBe(1);
  });

  test('contradict an effect that is shown to be within the band, with the p-value of that', () => {
    const own = prediction({ band: 1 });
    const nothing = simulate(0, own, 12, 100);
    expect(share(nothing, 'contradicts')).toBeGreaterThan(0.8);
    for (const { verdict, pValue, negligible } of nothing)
      if (verdict === 'contradicts' && negligible === true) expect(pValue).toBeLessThanOrEqual(0.05);
    // An effect as large as the band is taken for none in 5 %.
    const edge = share(simulate(1, own, 12, 300), 'contradicts');
    expect(edge).toBeLessThan(0.05 + 4 * Math.sqrt((0.05 * 0.95) / 300));
  });

  test('find an effect where there is none in 5 % of files, also of predictions that are shown to be within their bands', () => {
    const stream = createStream(7, 'family');
    const names = ['p', 'q', 'r', 's'];
    const files = Array.from({ length: 400 }, () => {
      const arms: Record<string, number[]> = { b: Array.from({ length: 12 }, () => 0) };
      for (const name of names) arms[name] = Array.from({ length: 12 }, () => stream.normal());
      return judge(
        arms,
        names.map((name) =>
          prediction({ id: name, contrast: { kind: 'difference', arm: name, minus: 'b' }, band: 2 }),
        ),
      );
    });
    const wrong = (own: SweepVerdict): boolean =>
      own.verdict === 'supports' || (own.verdict === 'contradicts' && own.negligible !== true);
    const rate = files.filter((verdicts) => verdicts.some(wrong)).length / files.length;
    expect(rate).toBeLessThan(0.05 + 4 * Math.sqrt((0.05 * 0.95) / 400));
    // Without effects, 19 in 20 of the predictions have nothing but the band to be judged by.
    expect(share(files.flat(), 'contradicts')).toBeGreaterThan(0.9);
  });

  test('need more with every prediction of the file', () => {
    const values = { a: [1, 0.4, 1.3, 0.9, -0.1, 0.8], b: [0, 0, 0, 0, 0, 0] };
    const many = Array.from({ length: 20 }, (_, i) => prediction({ id: `p${i}` }));
    expect(judge(values, [prediction()])[0]).toMatchObject({ verdict: 'supports' });
    const [first] = judge(values, many);
    expect(first).toMatchObject({
      verdict: 'inconclusive',
      reason: expect.stringMatching(/By itself it would be supports\.$/),
    });
    expect(first!.adjustedPValue).toBeCloseTo(20 * first!.pValue!, 12);
  });

  test('say which effects these seeds would find, and how many seeds the observed one needs', () => {
    const values = [0.5, -0.1, 0.4, 0.2, 0.9, -0.2, 0.3, 0.6];
    const [{ power }] = judge({ a: values, b: values.map(() => 0) }, [prediction()]) as [SweepVerdict];
    const mean = values.reduce((sum, value) => sum + value, 0) / 8;
    const sd = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 7);
    // 8 seeds find d = 1.1560 with power 0.8; Hedges' factor for 7 degrees of freedom is 0.8882.
    expect(power.smallest! / sd).toBeCloseTo(1.156, 3);
    expect(power.effect).toMatchObject({ estimate: expect.closeTo((0.8882 * mean) / sd, 3) });
    expect(power.power).toBeGreaterThan(0.4);
    expect(power.seedsNeeded).toBeGreaterThan(8);
  });
});

describe('power by a pilot', () => {
  test('is that of the seeds of the file for the effect of the pilot, also at the level that Holm leaves', () => {
    const pilot = [0.5, -0.1, 0.4, 0.2, 0.9, -0.2];
    const verdicts = judge({ a: pilot, b: pilot.map(() => 0) }, [
      prediction(),
      prediction({ id: 'none', predicted: 'none', band: 1 }),
    ]);
    const [own, none] = plannedPower(verdicts, (arm) =>
      arm === 'a' ? [1, 2, 3, 4, 5, 6, 7, 8] : [2, 4, 6, 8, 10],
    );
    const { effect } = own!;
    if (effect.kind === 'absent') throw new Error(effect.reason);
    expect(own).toMatchObject({
      pilot: 6,
      planned: 4,
      power: expect.closeTo(powerOf(effect.estimate, 4), 12),
    });
    expect(own!.powerCorrected).toBeCloseTo(powerOf(effect.estimate, 4, { alpha: 0.025 }), 12);
    expect(own!.power).toBeGreaterThan(own!.powerCorrected!);
    expect(own!.needed).toBe(seedsNeeded(effect.estimate));
    expect(own!.neededCorrected).toBeGreaterThan(own!.needed!);
    expect(none).toMatchObject({ power: null, needed: null });
  });
});

describe('a prediction is registered', () => {
  const arms = [{ name: 'a', configHash: '1', seeds: [0] }];
  const version = (predictions: SweepPrediction[], since: string) => {
    const hash = sweepHash({ arms, predictions });
    return { hash, since, arms, predictions };
  };
  const original = version([prediction()], '2026-01-01T00:00:00.000Z');
  const reversed = version([prediction({ predicted: 'negative' })], '2026-01-02T00:00:00.000Z');
  const record: SweepRecord = { ...emptySweepRecord('x'), versions: [original, reversed] };
  const values = { a: [1, 2, 3], b: [0, 0, 0] };
  const of = (own: SweepPrediction, hash: string | null | undefined, kept: SweepRecord = record): string =>
    judge(values, [own], kept, hash === undefined ? [] : [{ started: '2026-01-03T00:00:00.000Z', hash }])[0]!
      .registration;

  test('when it stood in the file by which the first run of its arms began, whatever its reason', () => {
    expect(of(prediction({ because: 'for another reason' }), original.hash)).toBe('registered');
    expect(of(prediction(), undefined)).toBe('open');
  });

  test('and is marked when it was changed, added, or cannot be told after it', () => {
    expect(of(prediction({ predicted: 'negative' }), original.hash)).toBe('changed');
    expect(of(prediction(), reversed.hash)).toBe('changed');
    expect(of(prediction({ band: 0.1 }), original.hash)).toBe('changed');
    expect(of(prediction({ id: 'new' }), original.hash)).toBe('added');
    expect(of(prediction(), null)).toBe('added');
    expect(of(prediction(), 'a hash that the record does not have')).toBe('unknown');
    const [row] = verdictRows(
      judge(values, [prediction({ predicted: 'negative' })], record, [
        { started: '2026-01-03T00:00:00.000Z', hash: original.hash },
      ]),
    );
    expect(row).toMatchObject({ registration: 'changed', mark: 'changed after first run' });
  });

  test('by the first run of its arm, also where that was trained again since', () => {
    const first = { a: { hash: original.hash, started: '2026-01-01T12:00:00.000Z' } };
    const kept = { ...record, firstRuns: first };
    expect(of(prediction({ predicted: 'negative' }), reversed.hash, kept)).toBe('changed');
    expect(of(prediction(), reversed.hash, kept)).toBe('registered');
  });
});
