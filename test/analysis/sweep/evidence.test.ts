import fs from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createStream } from '../../../data/random/streams.js';
import type { Estimate } from '../../../src/analysis/inference/estimate.js';
import { fixedEffects, type PanelRow } from '../../../src/analysis/inference/trend/fixed-effects.js';
import { mediationOf, type SweptRun } from '../../../src/analysis/sweep/mediation.js';
import { separate, type ExplainedRun } from '../../../src/analysis/sweep/separation.js';

interface Slopes {
  readonly estimate: readonly number[];
  readonly low: readonly number[];
  readonly high: readonly number[];
}

const fixture = JSON.parse(fs.readFileSync('test/fixtures/analysis/sweep.json', 'utf8')) as {
  readonly runs: readonly { arm: string; seed: number; mediator: number; loss: number; outcome: number }[];
  readonly within: Readonly<Record<'slope' | 'besideLoss' | 'bySeed', Slopes>>;
};

function expectSlope(own: Estimate | undefined, expected: Slopes, at: number): void {
  expect(own).toMatchObject({
    kind: 'value',
    estimate: expect.closeTo(expected.estimate[at]!, 9),
    interval: [expect.closeTo(expected.low[at]!, 8), expect.closeTo(expected.high[at]!, 8)],
    seeds: 8,
  });
}

describe('fixed effects', () => {
  const rows = (groupOf: (run: (typeof fixture.runs)[number]) => string): PanelRow[] =>
    fixture.runs.map((run) => ({
      group: groupOf(run),
      seed: run.seed,
      response: run.outcome,
      predictors: [run.mediator, run.loss],
    }));

  test('are those of least squares with dummy variables, by the jackknife over seeds', () => {
    const fit = fixedEffects(
      rows(({ seed }) => `seed ${seed}`),
      ['mediator', 'loss'],
    );
    if (fit.kind === 'absent') throw new Error(fit.reason);
    fit.slopes.forEach(({ effect }, at) => expectSlope(effect, fixture.within.bySeed, at));
    expect([fit.rows, fit.groups, fit.seeds]).toEqual([32, 8, 8]);
  });

  test('say which predictors they cannot tell apart, and which do not vary within groups', () => {
    const of = (predictors: (run: (typeof fixture.runs)[number]) => number[], names: string[]) =>
      fixedEffects(
        fixture.runs.map((run) => ({
          group: run.arm,
          seed: run.seed,
          response: run.outcome,
          predictors: predictors(run),
        })),
        names,
      );
    expect(of((run) => [run.loss, 2 * run.loss + 1], ['loss', 'twice'])).toEqual({
      kind: 'absent',
      reason: expect.stringMatching(/collinear predictors: loss, twice$/),
    });
    expect(of((run) => [Number(run.arm)], ['batch'])).toEqual({
      kind: 'absent',
      reason: expect.stringMatching(/batch does not vary within groups$/),
    });
    expect(fixedEffects([], ['x'])).toEqual({ kind: 'absent', reason: '0 seeds, at least 3 needed' });
  });

  test('cover the true slope as often as they say', () => {
    const stream = createStream(3, 'fixed effects');
    const draws = 300;
    let covered = 0;
    for (let draw = 0; draw < draws; draw++) {
      const simulated: PanelRow[] = [];
      for (let seed = 0; seed < 10; seed++) {
        const level = stream.normal();
        for (const arm of ['a', 'b', 'c']) {
          const x = stream.normal() + level;
          // Runs of a seed share what the seed brings, which the slope must not take for independent.
          simulated.push({
            group: arm,
            seed,
            response: 2 * x + stream.normal() * 0.5 + level * stream.normal(),
            predictors: [x],
          });
        }
      }
      const fit = fixedEffects(simulated, ['x']);
      if (fit.kind === 'absent') throw new Error(fit.reason);
      const { effect } = fit.slopes[0]!;
      if (effect.kind === 'value' && effect.interval![0] <= 2 && effect.interval![1] >= 2) covered++;
    }
    // 95 % within four standard errors, or above: the jackknife is conservative.
    expect(covered / draws).toBeGreaterThan(0.95 - 4 * Math.sqrt((0.95 * 0.05) / draws));
  });
});

describe('mediation', () => {
  test('is the slope within arms, alone and beside the loss', () => {
    const { slope, besideLoss, runs } = mediationOf(fixture.runs, []);
    expectSlope(slope, fixture.within.slope, 0);
    expectSlope(besideLoss, fixture.within.besideLoss, 0);
    expect(runs).toBe(32);
  });

  test('finds all of an effect that goes through the mediator, and none of one that does not', () => {
    const stream = createStream(5, 'mediation');
    const make = (through: number, direct: number): SweptRun[] =>
      ['small', 'large'].flatMap((arm, i) =>
        Array.from({ length: 40 }, (_, seed) => {
          const mediator = through * i + 0.5 * stream.normal();
          return { arm, seed, mediator, loss: 0.5, outcome: mediator + direct * i + 0.05 * stream.normal() };
        }),
      );
    const pairs = [{ arm: 'large', minus: 'small' }];
    const [all] = mediationOf(make(1, 0), pairs).contrasts;
    expect(all!.proportion).toBeCloseTo(1, 1);
    const [none] = mediationOf(make(0, 3), pairs).contrasts;
    expect(Math.abs(none!.proportion!)).toBeLessThan(0.2);
    expect(none!.total).toMatchObject({ estimate: expect.closeTo(3, 0) });
    // A loss that is the same everywhere tells nothing apart.
    expect(mediationOf(make(1, 0), pairs).besideLoss).toMatchObject({
      kind: 'absent',
      reason: 'training loss does not vary within groups',
    });
  });
});

describe('what is behind differences', () => {
  const stream = createStream(9, 'separation');
  /** Arms at fixed epochs, fixed updates and scaled rates: the gap follows log updates alone. */
  const runs = (
    [
      ['b16', 1 / 16, 4000],
      ['b64', 1 / 64, 1000],
      ['b256', 1 / 256, 250],
      ['b256-long', 1 / 256, 4000],
      ['b16-short', 1 / 16, 250],
      ['b64-fast', 4 / 64, 1000],
    ] as const
  ).flatMap(([arm, kappa, updates]) =>
    Array.from({ length: 10 }, (_, seed): ExplainedRun => {
      const loss = 1 - 0.05 * Math.log(updates) + 0.05 * stream.normal();
      const outcome = 0.1 * Math.log(updates) + 0.02 * seed + 0.01 * stream.normal();
      return { arm, seed, outcome, kappa, updates, loss, distance: 3 + stream.normal() };
    }),
  );

  test('is told apart where the arms do', () => {
    const { fit, left } = separate(runs);
    if (fit.kind === 'absent') throw new Error(fit.reason);
    const effects = new Map(fit.slopes.map(({ name, effect }) => [name, effect]));
    expect(effects.get('log updates')).toMatchObject({ estimate: expect.closeTo(0.1, 2) });
    const kappa = effects.get('log kappa');
    if (kappa?.kind !== 'value') throw new Error('no estimate');
    expect(Math.abs(kappa.estimate)).toBeLessThan(0.01);
    expect(kappa.interval![0]).toBeLessThan(0.005);
    expect(left).toEqual([]);
  });

  test('and where they do not it says so: at fixed epochs kappa and updates are one', () => {
    const fixedEpochs = runs.filter(({ arm }) => ['b16', 'b64', 'b256'].includes(arm));
    expect(separate(fixedEpochs).fit).toEqual({
      kind: 'absent',
      reason: expect.stringMatching(/^collinear predictors: log kappa, log updates$/),
    });
    const full = [...runs, { ...runs[0]!, arm: 'full', kappa: 0 }];
    expect(separate(full).left).toEqual(['full']);
  });
});
