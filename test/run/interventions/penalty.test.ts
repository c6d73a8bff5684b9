import { beforeAll, describe, expect, test } from 'vitest';
import { loadConfig } from '../../../src/config/load.js';
import { runSchema } from '../../../src/run/config.js';
import { planRun } from '../../support/plan-run.js';
import { startTogether } from '../../../src/run/start.js';
import type { Engine } from '../../../src/train/engine/load.js';
import { useTestEngine } from '../../train/support/engine.js';
import {
  brief,
  differencesOfStops,
  stepColumns,
  trainBrief,
  weightDifference,
} from '../intervention-support.js';
import { quietRequest, temporaryFolder, tiny } from '../support.js';

let engine: Engine;
/** Plain runs, stage 1 of SGD, of which penalties are the only difference. */
const sgd = [
  'stages.0.optimizer={ kind: sgd, learningRate: 0.05 }',
  'stages.0.parameterGroups=[]',
  'stages.0.schedule={ kind: constant }',
  'stages.0.epochs=8',
];
let plain: string;

beforeAll(async () => {
  engine = await useTestEngine();
  [plain = ''] = await trainBrief({ engine, overrides: sgd });
});

const columns = [
  'penalty_value',
  'penalty_force',
  'penalty_cosine',
  'penalty_lambda',
  'grad_norm',
  'changed_norm',
] as const;
const run = async (penalty: string, ...others: string[]): Promise<string> =>
  (await trainBrief({ engine, overrides: [...sgd, `stages.0.penalty=${penalty}`, ...others] }))[0]!;

const mean = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length;

describe('strength', () => {
  test('lambda 0 measures and trains as if there were no penalty, bit for bit', async () => {
    const folder = await run('{ kind: variance, size: 7, lambda: 0 }');
    expect(weightDifference(folder, plain)).toBe(0);
    const { penalty_value: value, penalty_force: force } = await stepColumns(folder, columns);
    expect(value[0]).toBeGreaterThan(0);
    expect(force[0]).toBe(0);
  });

  test('forceRatio: the force is that share of the gradient at every update, with the sign that is asked for', async () => {
    const folder = await run('{ kind: exampleNorm, forceRatio: -0.3 }');
    const own = await stepColumns(folder, columns);
    for (let i = 0; i < 8; i++) {
      expect(own.penalty_force[i]! / own.grad_norm[i]!).toBeCloseTo(0.3, 4);
      expect(own.penalty_lambda[i]).toBeLessThan(0);
      const [force, cosine] = [own.penalty_force[i]!, -own.penalty_cosine[i]!];
      const expected = Math.sqrt(
        own.grad_norm[i]! ** 2 + force ** 2 + 2 * own.grad_norm[i]! * force * cosine,
      );
      expect(own.changed_norm[i]! / expected).toBeCloseTo(1, 4);
    }
  });
});

/** Runs of stage 1 that differ in strength alone, trained as one computation; their folders. */
async function together(kind: string, strengths: readonly string[]): Promise<readonly string[]> {
  const runs = strengths.map((strength, i) => ({
    ...loadConfig('configs/set-inclusion-smoke.yaml', runSchema, [
      ...tiny,
      ...brief,
      ...sgd,
      `name=strength${i}`,
      `stages.0.penalty={ ${kind}, ${strength} }`,
    ]),
    seed: 0,
  }));
  return (await startTogether(runs, quietRequest(temporaryFolder(), engine))).folders;
}

describe('planted effects: what is penalised gets smaller, what is rewarded larger', () => {
  test.each([
    'kind: variance, size: 7',
    'kind: fullNorm',
    'kind: exampleNorm',
    'kind: blocks, blocks: [{ first: { kind: definition, tag: reliable }, second: { kind: qa } }]',
  ])('%s', async (kind) => {
    const folders = await together(kind, ['forceRatio: 0.5', 'lambda: 0', 'forceRatio: -0.5']);
    const ends = await Promise.all(
      folders.map(async (folder) => mean((await stepColumns(folder, columns)).penalty_value.slice(8, 16))),
    );
    expect(ends[0]).toBeLessThan(ends[1]!);
    expect(ends[2]).toBeGreaterThan(ends[1]!);
  });
});

test('replicas of other strengths leave each other alone', async () => {
  const folders = await together('kind: variance, size: 7', ['lambda: 0.02', 'lambda: 0', 'lambda: -0.01']);
  const lambdas = folders.map(async (own) => (await stepColumns(own, columns)).penalty_lambda[0]);
  expect(await Promise.all(lambdas)).toEqual([0.02, 0, -0.01]);
  expect(weightDifference(folders[1]!, plain)).toBeLessThan(1e-5);
  expect(weightDifference(folders[0]!, plain)).toBeGreaterThan(1e-4);
});

test('central differences pull where forward ones do', async () => {
  const [forward, central] = await Promise.all(
    ['forward', 'central'].map(async (difference) =>
      stepColumns(await run(`{ kind: variance, size: 7, lambda: 0.1, difference: ${difference} }`), columns),
    ),
  );
  expect(forward!.penalty_force[0]! / central!.penalty_force[0]!).toBeCloseTo(1, 1);
  expect(forward!.penalty_cosine[0]).toBeCloseTo(central!.penalty_cosine[0]!, 1);
});

test('an accumulated minibatch has the penalty of the undivided one', async () => {
  const whole = await run('{ kind: variance, size: 7, lambda: 0.1 }');
  const parts = await run(
    '{ kind: variance, size: 7, lambda: 0.1 }',
    'stages.0.microBatch=20',
    'log.tier=off',
  );
  const [a, b] = await Promise.all([whole, parts].map((folder) => stepColumns(folder, columns)));
  expect(b!.penalty_value[0]! / a!.penalty_value[0]!).toBeCloseTo(1, 4);
  expect(b!.penalty_force[0]! / a!.penalty_force[0]!).toBeCloseTo(1, 1);
});

test.each([
  'penalty={ kind: variance, size: 16, forceRatio: 0.2 }',
  'penalty={ kind: blocks, forceRatio: -0.1, blocks: [{ first: { kind: qa }, second: { kind: qa } }, ' +
    '{ first: { kind: definition, tag: unreliable }, second: { kind: qa }, weight: -1, placebo: true }] }',
])('stopped, resumed and beside others, a run is the same: %s', async (penalty) => {
  const { weights, rows, alone } = await differencesOfStops(engine, [
    `stages.0.${penalty}`,
    'stages.1.penalty={ kind: exampleNorm, lambda: 0.1 }',
  ]);
  expect({ weights, rows }).toEqual({ weights: 0, rows: 0 });
  expect(alone).toBeLessThan(2e-3);
});

test.each([
  [
    '{ kind: variance, size: 70, lambda: 1 }',
    /^stages\.0\.penalty\.size: a micro-batch of 70 is the whole minibatch \(70 examples\)/,
  ],
  ['{ kind: fullNorm }', /stages\.0\.penalty\.lambda: a penalty has one strength/],
  ['{ kind: fullNorm, lambda: 1, forceRatio: 1 }', /stages\.0\.penalty\.lambda: a penalty has one strength/],
  [
    '{ kind: blocks, lambda: 1, blocks: [{ first: {}, second: { kind: qa } }] }',
    /says of no group which it is/,
  ],
  [
    '{ kind: blocks, lambda: 1, blocks: [{ first: { tag: new }, second: { kind: qa } }] }',
    /^stage stage1: penalty\.blocks\.0\.first: means no group that the stage trains/,
  ],
  [
    '{ kind: blocks, lambda: 1, blocks: [{ first: { tag: reliable }, second: { kind: qa } }] }',
    /^stage stage1: penalty\.blocks\.0\.second: shares /,
  ],
])('%s is refused in one line', (penalty, reason) => {
  expect(() => {
    const { config } = loadConfig('configs/set-inclusion-smoke.yaml', runSchema, [
      ...tiny,
      ...brief,
      `stages.0.penalty=${penalty}`,
    ]);
    planRun(config, [0]);
  }).toThrow(reason);
});
