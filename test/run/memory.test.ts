import { describe, expect, test } from 'vitest';
import { questionsPerPart } from '../../data/set-inclusion/points.js';
import { loadConfig } from '../../src/config/load.js';
import { runSchema } from '../../src/run/config.js';
import { describeCost, replicaLimit, requireMemory } from '../../src/run/memory.js';
import { checkedCost } from '../../src/run/plan.js';

const cost = checkedCost(loadConfig('configs/set-inclusion.yaml', runSchema).config);

test('as many seeds train together as fit into half of it, and never none', () => {
  const each = 100e6;
  const together = (available: number): number => replicaLimit({ bytesPerReplica: each }, available).replicas;
  expect([0.5, 1, 2, 4, 4.1, 31.9, 32, 1000].map((times) => together(times * each))).toEqual([
    1, 1, 1, 2, 2, 15, 16, 16,
  ]);
  expect(replicaLimit({ bytesPerReplica: each }, 10 * each).reason).toBe(
    'about 100 MB each, 500 MB of memory to use',
  );
});

test('one seed that does not fit is refused, with what takes most', () => {
  expect(() => requireMemory(cost, cost.bytesPerReplica)).not.toThrow();
  expect(() => requireMemory(cost, cost.bytesPerReplica - 1)).toThrow(
    /^one seed needs about \d+ MB of memory and \d+ MB are available; most of it, \d+ MB, for .+: make that smaller$/,
  );
});

describe('what interventions take', () => {
  /** The stage sees minibatches of 128 of 33,018 parameters' examples. */
  const bytesOf = (key: string, value: string, ...others: string[]): number =>
    checkedCost(
      loadConfig('configs/set-inclusion.yaml', runSchema, [
        'log.tier=off',
        `stages.0.${key}=${value}`,
        ...others,
      ]).config,
    ).interventionBytes;
  const parameterBytes = 4 * cost.parameters;
  /** Activations of an example, as estimated. */
  const perExample = cost.activationBytes / 128;

  test('none: nothing', () => {
    expect(cost.interventionBytes).toBe(0);
    expect(bytesOf('freeze', '{ parameters: ["layers.0.*"] }')).toBe(0);
  });

  test('a penalty: eight copies of the parameters of every part, and the activations of all, for each side', () => {
    const variance = '{ kind: variance, size: 16, lambda: 1 }';
    const one = 8 * 8 * parameterBytes + 128 * perExample;
    expect(bytesOf('penalty', variance)).toBeCloseTo(one);
    expect(bytesOf('penalty', '{ kind: variance, size: 16, lambda: 1, difference: central }')).toBeCloseTo(
      2 * one,
    );
    expect(bytesOf('penalty', variance, 'stages.0.microBatch=32')).toBeCloseTo(
      2 * 8 * parameterBytes + 32 * perExample,
    );
    const pair = '{ first: { kind: qa }, second: { kind: qa } }';
    expect(bytesOf('penalty', `{ kind: blocks, blocks: [${pair}, ${pair}], lambda: 1 }`)).toBeCloseTo(
      4 * 8 * parameterBytes + 4 * 128 * perExample,
    );
  });

  test.each(['forward', 'central'])(
    'copies of parts stay below 256 MB, with %s differences',
    (difference) => {
      const wide = ['model.width=256', 'model.feedForward=1024'];
      const { parameters, activationBytes } = checkedCost(
        loadConfig('configs/set-inclusion.yaml', runSchema, wide).config,
      );
      const sides = difference === 'central' ? 2 : 1;
      const part = sides * 8 * 4 * parameters;
      const together = Math.floor(256e6 / part);
      expect(together).toBeLessThan(64);
      expect(
        bytesOf('penalty', `{ kind: variance, size: 2, lambda: 1, difference: ${difference} }`, ...wide),
      ).toBeCloseTo(together * (part + (sides * 2 * activationBytes) / 128));
    },
  );

  test('projection: gradients of definitions and of their questions, at most 128 MB of them', () => {
    const own = bytesOf('projection', '{ onto: own }');
    const { heldOut } = cost.stages[0]!;
    const definition = 2 * (heldOut + 1) * parameterBytes;
    const together = Math.min(128, Math.floor((4 * 2 ** 25) / definition));
    expect(heldOut).toBe(questionsPerPart);
    expect(own).toBeCloseTo(together * (definition + heldOut * perExample));
    expect(together * definition).toBeLessThanOrEqual(4 * 2 ** 25);
  });

  test('noise and surgery: six copies of the parameters, and factors that are weighted', () => {
    const weighted = 6 * parameterBytes + (128 * perExample) / 4;
    expect(bytesOf('noise', '{ kind: covariance, batchSize: 8 }')).toBeCloseTo(weighted);
    expect(
      bytesOf('surgery', '{ kind: pcgrad, first: { kind: definition }, second: { kind: qa } }'),
    ).toBeCloseTo(weighted);
  });
});

test('the plan says parameters, updates and memory', () => {
  expect(describeCost(cost)).toMatch(/^[\d,]+ parameters, [\d,]+ updates, about \d+ MB of memory per seed$/);
});
