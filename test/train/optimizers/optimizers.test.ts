import fs from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { createVariable, type Variable } from '../../../src/train/engine/variable.js';
import { optimizerRule, optimizerSchema } from '../../../src/train/optimizers/registry.js';
import { clipFactor, scheduleFactor } from '../../../src/train/optimizers/schedule.js';
import { useTestEngine } from '../support/engine.js';

beforeAll(useTestEngine);

const numbers = z.array(z.number());
const fixture = z
  .object({
    start: z.array(numbers),
    gradients: z.array(z.array(numbers)),
    cases: z.record(z.string(), z.object({ parameters: z.array(z.array(numbers)), norms: numbers })),
    'linear schedule without warm-up, 10 updates': numbers,
  })
  .parse(
    JSON.parse(fs.readFileSync(new URL('../../fixtures/train/optimizers.json', import.meta.url), 'utf8')),
  );

const shapes = [[3, 4], [5]];

const adamw = { kind: 'adamw', learningRate: 0.02, beta1: 0.9, beta2: 0.98 };
const adafactor = { kind: 'adafactor', learningRate: 0.05 };
const configs: Record<string, { config: object; clip?: number; learningRates?: number[] }> = {
  sgd: { config: { kind: 'sgd', learningRate: 0.1 } },
  'sgd weight decay': { config: { kind: 'sgd', learningRate: 0.1, weightDecay: 0.1 } },
  momentum: { config: { kind: 'sgd', learningRate: 0.1, momentum: 0.9 } },
  nesterov: { config: { kind: 'sgd', learningRate: 0.1, momentum: 0.9, nesterov: true } },
  adamw: { config: adamw },
  'adamw weight decay': { config: { ...adamw, beta1: 0.8, beta2: 0.95, epsilon: 1e-3, weightDecay: 0.1 } },
  'adamw clipped': { config: adamw, clip: 1 },
  'adamw two groups': { config: { kind: 'adamw', learningRate: 0.01 }, learningRates: [0.05, 0.01] },
  adafactor: { config: adafactor },
  'adafactor weight decay': { config: { ...adafactor, weightDecay: 0.1 } },
};

/**
 * Runs six updates on two replicas, the second with its gradients in reverse order of coordinates, and returns the
 * parameters of `replica` after each update. Different learning rates a replica take the portable path everywhere.
 */
function run(name: string, replica: 0 | 1, mixedRates: boolean): number[][][] {
  const { config, clip, learningRates } = configs[name]!;
  const parsed = optimizerSchema.parse(config);
  const rule = optimizerRule(parsed);
  const twice = (values: readonly number[], shape: readonly number[]): tf.Tensor => {
    const mirrored = values.toReversed();
    return tf.tensor(replica === 0 ? [...values, ...mirrored] : [...mirrored, ...values], [2, ...shape]);
  };
  const parameters = shapes.map((shape, i) => createVariable(twice(fixture.start[i]!, shape)));
  const slots = parameters.map((parameter) =>
    Object.fromEntries(
      Object.entries(rule.slots(parameter.shape)).map(([slot, shape]): [string, Variable] => [
        slot,
        createVariable(tf.zeros([...shape])),
      ]),
    ),
  );
  return fixture.gradients.map((pair, index) => {
    const norm = Math.sqrt(pair.flat().reduce((sum, value) => sum + value * value, 0));
    if (clip !== undefined) expect(norm).toBeCloseTo(fixture.cases[name]!.norms[index]!, 3);
    const factor = clipFactor(norm, clip ?? null);
    parameters.forEach((parameter, i) => {
      const gradient = tf.mul(twice(pair[i]!, shapes[i]!), factor);
      const rate = learningRates?.[i] ?? parsed.learningRate;
      const other = mixedRates ? rate / 2 : rate;
      rule.update(parameter, slots[i]!, gradient, {
        learningRates: replica === 0 ? [rate, other] : [other, rate],
        step: index + 1,
      });
    });
    return parameters.map((parameter) => {
      const values = Array.from(parameter.read().dataSync());
      const half = values.length / 2;
      return replica === 0 ? values.slice(0, half) : values.slice(half);
    });
  });
}

describe.each(Object.keys(configs))('%s', (name) => {
  test.each([
    { replica: 0, mixedRates: false },
    { replica: 1, mixedRates: false },
    { replica: 1, mixedRates: true },
  ] as const)('follows PyTorch as replica $replica, mixed rates $mixedRates', ({ replica, mixedRates }) => {
    const actual = run(name, replica, mixedRates);
    fixture.cases[name]!.parameters.forEach((expected, step) => {
      expected.forEach((values, i) => {
        values.forEach((value, j) => {
          expect(Math.abs(actual[step]![i]![j]! - value), `step ${step}, tensor ${i}[${j}]`).toBeLessThan(
            2e-5,
          );
        });
      });
    });
  });
});

test('every case of the fixture is run', () => {
  expect(Object.keys(configs).sort()).toEqual(Object.keys(fixture.cases).sort());
});

test('a linear schedule is that of Hugging Face', () => {
  const expected = fixture['linear schedule without warm-up, 10 updates'];
  const factors = expected.map((_, i) =>
    scheduleFactor({ kind: 'linear', warmupSteps: 0 }, i + 1, expected.length),
  );
  factors.forEach((factor, i) => expect(factor).toBeCloseTo(expected[i]!, 6));
});

test('a warm-up rises to 1, and cosine ends at 0', () => {
  const factor = (step: number): number => scheduleFactor({ kind: 'cosine', warmupSteps: 4 }, step, 104);
  expect([1, 2, 3, 4, 5].map(factor)).toEqual([0.25, 0.5, 0.75, 1, 1]);
  expect(factor(55)).toBeCloseTo(0.5);
  expect(factor(104)).toBeLessThan(0.001);
});

describe('preconditioner: the diagonal of the geometry, from the moments of the steps before', () => {
  const gradients = [
    [0.5, -2, 0.1, 3, 0.02, -0.4],
    [1, 0.3, -0.2, 0, 0.05, 0.7],
  ];
  /** After two updates of a `[1, 2, 3]` parameter. */
  function diagonal(config: object): number[] {
    const rule = optimizerRule(optimizerSchema.parse(config));
    const shape = [1, 2, 3];
    const parameter = createVariable(tf.zeros(shape));
    const slots = Object.fromEntries(
      Object.entries(rule.slots(shape)).map(([slot, own]) => [slot, createVariable(tf.zeros([...own]))]),
    );
    expect(rule.preconditioner(slots, 0) === null).toBe(config !== sgdWithMomentum);
    gradients.forEach((values, i) => {
      rule.update(parameter, slots, tf.tensor(values, shape), { learningRates: [0.1], step: i + 1 });
    });
    return Array.from(rule.preconditioner(slots, 2)!.dataSync());
  }
  const sgdWithMomentum = { kind: 'sgd', learningRate: 0.1, momentum: 0.75 };

  test('sgd: the whole tail of momentum', () => {
    expect(diagonal(sgdWithMomentum)).toEqual([4]);
  });

  test('adamw: 1 / (sqrt(v) + epsilon) with v corrected for its start', () => {
    const [b2, epsilon] = [0.9, 1e-3];
    const found = diagonal({ kind: 'adamw', learningRate: 0.1, beta2: b2, epsilon });
    gradients[0]!.forEach((first, p) => {
      const v = (1 - b2) * (b2 * first ** 2 + gradients[1]![p]! ** 2);
      expect(found[p]).toBeCloseTo(1 / (Math.sqrt(v / (1 - b2 ** 2)) + epsilon), 3);
    });
  });

  test('adafactor: from the factored moments', () => {
    const found = diagonal({ kind: 'adafactor', learningRate: 0.1 });
    const decay = (t: number): number => 1 - t ** -0.8;
    const squares = gradients.map((values) => values.map((value) => value ** 2 + 1e-30));
    const average = (of: (own: readonly number[]) => number): number =>
      squares.reduce((moment, own, t) => decay(t + 1) * moment + (1 - decay(t + 1)) * of(own), 0);
    const rows = [0, 1].map((r) => average((own) => (own[3 * r]! + own[3 * r + 1]! + own[3 * r + 2]!) / 3));
    const columns = [0, 1, 2].map((c) => average((own) => (own[c]! + own[3 + c]!) / 2));
    const mean = (rows[0]! + rows[1]!) / 2;
    rows.forEach((row, r) =>
      columns.forEach((column, c) => {
        expect(found[3 * r + c]! * Math.sqrt((row * column) / mean)).toBeCloseTo(1, 4);
      }),
    );
  });
});
