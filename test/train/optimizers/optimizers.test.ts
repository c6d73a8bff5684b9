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
