import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { createStream } from '../../../data/random/streams.js';
import { loadConfig } from '../../../src/config/load.js';
import { runSchema } from '../../../src/run/config.js';
import type { ActiveIntervention, InterventionValues } from '../../../src/run/interventions/intervention.js';
import { noise } from '../../../src/run/interventions/noise.js';
import { updatingOf } from '../../../src/run/learning-rates.js';
import { planRuns, type RunPlan } from '../../../src/run/plan.js';
import { planRun } from '../../support/plan-run.js';
import { updates, type Update } from '../../../src/run/updates.js';
import type { Engine } from '../../../src/train/engine/load.js';
import { Learner } from '../../../src/train/learner.js';
import { setGradientFunction } from '../../../src/train/set-gradients.js';
import { useTestEngine } from '../../train/support/engine.js';
import {
  brief,
  differencesOfStops,
  stepColumns,
  trainBrief,
  weightDifference,
} from '../intervention-support.js';
import { tiny } from '../support.js';

let engine: Engine;

beforeAll(async () => {
  engine = await useTestEngine();
});

const train = async (...overrides: string[]): Promise<string> =>
  (await trainBrief({ engine, overrides }))[0]!;

const configOf = (overrides: readonly string[]) =>
  loadConfig('configs/set-inclusion-smoke.yaml', runSchema, [...tiny, ...brief, ...overrides]).config;

const full = 'stages.0.batchSize=full';
const ofKind = (kind: string, more = ''): string[] => [
  full,
  `stages.0.noise={ kind: ${kind}, batchSize: 8${more} }`,
];

/** Noise of one update after another on the gradient of the first minibatch, at initial parameters. */
function withNoise(
  plan: RunPlan,
  use: (
    noiseAt: (stageStep: number) => { added: Float32Array[]; values: InterventionValues },
    update: Update,
    learner: Learner,
  ) => void,
): void {
  const learner = new Learner(plan.model, plan.seeds.length, 'example');
  learner.initialise(plan.seeds.map((seed) => createStream(seed, 'initialisation')));
  learner.beginStage(updatingOf(plan.stages[0]!));
  const active: ActiveIntervention = noise.activate({ plan, stage: plan.stages[0]!, learner })!;
  for (const update of updates(plan, 0, learner, 0)) {
    use(
      (stageStep) => {
        const { place, minibatch, gradient } = update;
        const none = gradient.blocks.map((block) => tf.zerosLike(block));
        const own = { ...place, stageStep };
        const { blocks, values } = active.change!({ place: own, minibatch, gradient, blocks: none });
        const joined = tf.concat([...blocks], 1);
        const flat = joined.dataSync<'float32'>();
        tf.dispose([...none, ...blocks, joined]);
        const length = flat.length / plan.seeds.length;
        const added = plan.seeds.map((_, replica) => flat.slice(replica * length, (replica + 1) * length));
        return { added, values };
      },
      update,
      learner,
    );
    break;
  }
  active.dispose?.();
  learner.dispose();
}

/** `[example]` gradients of the minibatch's examples, one by one. */
function examplesOf({ minibatch }: Update, learner: Learner): Float32Array[] {
  const compute = setGradientFunction(learner.model, learner.blocks);
  const single = Object.fromEntries(
    Object.entries(minibatch.inputs).map(([name, x]) => [
      name,
      tf.reshape(x, [x.shape[1]!, 1, ...x.shape.slice(2)]),
    ]),
  );
  const found = compute(learner.read(), single);
  const joined = tf.concat([...found.blocks], 1);
  const flat = joined.dataSync<'float32'>();
  const [examples, length] = joined.shape;
  compute.dispose();
  return Array.from({ length: examples }, (_, i) => flat.slice(i * length, (i + 1) * length));
}

const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
};

/** Examples' gradients about their mean. */
function centred(gradients: readonly Float32Array[]): Float64Array[] {
  const mean = new Float64Array(gradients[0]!.length);
  for (const own of gradients) own.forEach((value, i) => (mean[i]! += value / gradients.length));
  return gradients.map((own) => Float64Array.from(own, (value, i) => value - mean[i]!));
}

describe.each(['isotropic', 'covariance'] as const)('%s', (kind) => {
  test('trace and variance along directions are those of a minibatch of 8, from examples one by one', () => {
    const draws = 300;
    withNoise(planRun(configOf(ofKind(kind)), [0]), (noiseAt, update, learner) => {
      const own = centred(examplesOf(update, learner));
      const examples = own.length;
      const gamma = own.reduce((sum, x) => sum + dot(x, x), 0) / examples;
      // Smith's variance of the gradient of a minibatch of b of N rows.
      const b = 8;
      const trace = ((examples - b) / (examples - 1)) * (gamma / b);
      const directions = [own[0]!, own[examples - 1]!, own[0]!.map((_, i) => Math.sin(i * i))];
      const expected = directions.map((v) => {
        if (kind === 'isotropic') return (trace / own[0]!.length) * dot(v, v);
        const along = own.reduce((sum, x) => sum + dot(x, v) ** 2, 0) / examples;
        return ((examples - b) / (examples - 1)) * (along / b);
      });
      const squares: number[] = [];
      const along = directions.map(() => 0);
      for (let k = 1; k <= draws; k++) {
        const { added, values } = noiseAt(k);
        const norm2 = dot(added[0]!, added[0]!);
        squares.push(norm2);
        directions.forEach((v, i) => (along[i]! += dot(added[0]!, v) ** 2 / draws));
        expect(values.noise_gamma![0]! / gamma).toBeCloseTo(1, 4);
        expect(values.noise_trace![0]! / trace).toBeCloseTo(1, 4);
        expect(values.noise_norm![0]! ** 2 / norm2).toBeCloseTo(1, 4);
      }
      const mean = squares.reduce((sum, x) => sum + x, 0) / draws;
      const error = Math.sqrt(squares.reduce((sum, x) => sum + (x - mean) ** 2, 0)) / draws;
      expect(Math.abs(mean - trace)).toBeLessThan(4 * error);
      // The square of a normal number has the variance 2.
      along.forEach((value, i) =>
        expect(Math.abs(value / expected[i]! - 1)).toBeLessThan(4 * Math.sqrt(2 / draws)),
      );
      // A null: along an example's gradient the other kind would have quite another variance.
      const v = directions[0]!;
      const spread = own.reduce((sum, x) => sum + dot(x, v) ** 2, 0) / (gamma * examples);
      expect(spread / (dot(v, v) / v.length)).toBeGreaterThan(4);
    });
  });

  test('anticorrelated noise of a cycle sums to zero, fresh noise does not', () => {
    const sums = ['anticorrelated', 'fresh'].map((order) => {
      let share = NaN;
      withNoise(planRun(configOf(ofKind(kind, `, order: ${order}`)), [0]), (noiseAt, { minibatch }) => {
        const cycle = Math.ceil(minibatch.rows[0]!.length / 8);
        const all = Array.from({ length: 2 * cycle }, (_, k) => noiseAt(k + 1).added[0]!);
        share = Math.max(
          ...[all.slice(0, cycle), all.slice(cycle)].map((own) => {
            const sum = own[0]!.map((_, i) => own.reduce((total, x) => total + x[i]!, 0));
            return Math.sqrt(dot(sum, sum) / own.reduce((total, x) => total + dot(x, x), 0));
          }),
        );
        // Begun within the cycle, it is the same.
        expect(noiseAt(2 * cycle - 1).added[0]).toEqual(all[2 * cycle - 2]);
        expect(noiseAt(2).added[0]).toEqual(all[1]);
      });
      return share;
    });
    expect(sums[0]).toBeLessThan(1e-5);
    expect(sums[1]).toBeGreaterThan(0.5);
  });

  test('stopped, resumed and beside others', async () => {
    const other = kind === 'isotropic' ? 'covariance' : 'isotropic';
    const { weights, rows, alone } = await differencesOfStops(engine, [
      full,
      'stages.0.epochs=8',
      'evaluation.everyEpochs=100',
      `stages.0.noise={ kind: ${kind}, batchSize: 80, order: anticorrelated, strength: 0.5 }`,
      `stages.1.noise={ kind: ${other}, batchSize: 2 }`,
      'stages.1.freeze={ parameters: ["*embedding*"] }',
    ]);
    expect({ weights, rows }).toEqual({ weights: 0, rows: 0 });
    expect(alone).toBeLessThan(1e-5);
  });
});

test('the noise of a minibatch of b is the variance over all subsets of b examples', () => {
  withNoise(
    planRun(configOf(['stages.0.batchSize=6', 'stages.0.noise={ kind: covariance, batchSize: 2 }']), [0]),
    (noiseAt, update, learner) => {
      const own = centred(examplesOf(update, learner));
      let [sum, pairs] = [0, 0];
      for (let i = 0; i < 6; i++) {
        for (let j = 0; j < i; j++) {
          const mean = own[i]!.map((value, k) => (value + own[j]![k]!) / 2);
          sum += dot(mean, mean);
          pairs++;
        }
      }
      expect(noiseAt(1).values.noise_trace![0]! / (sum / pairs)).toBeCloseTo(1, 4);
    },
  );
});

test('strength 0 trains as no noise does, bit for bit; 1 does not', async () => {
  const plain = await train(full);
  const none = await train(...ofKind('isotropic', ', strength: 0'));
  expect(weightDifference(none, plain)).toBe(0);
  const columns = await stepColumns(none, ['noise_norm', 'noise_trace', 'noise_gamma', 'grad_norm']);
  expect(columns.noise_norm[0]).toBe(0);
  expect(columns.noise_trace[0]).toBe(0);
  expect(columns.noise_gamma[0]).toBeGreaterThan(0);
  expect(weightDifference(await train(...ofKind('isotropic')), plain)).toBeGreaterThan(1e-4);
});

test('replicas have strengths and batch sizes of their own', () => {
  const settings = [', strength: 0', ', strength: 2'].map((more) => configOf(ofKind('covariance', more)));
  const smaller = configOf([full, 'stages.0.noise={ kind: covariance, batchSize: 4 }']);
  withNoise(planRuns([...settings, smaller].map((config) => ({ config, seed: 0 }))), (noiseAt) => {
    const { added, values } = noiseAt(1);
    expect(values.noise_norm![0]).toBe(0);
    expect(added[0]!.every((x) => x === 0)).toBe(true);
    const ratio = values.noise_norm![1]! / values.noise_norm![2]!;
    // One draw, one seed: only the scales differ.
    expect(ratio ** 2).toBeCloseTo(values.noise_trace![1]! / values.noise_trace![2]!, 3);
  });
});

test.each([
  [
    'stages.0.noise={ kind: isotropic, batchSize: 70 }',
    /^stages\.0\.noise\.batchSize: a minibatch of 70 is no noisier than one of the stage, which has 70/,
  ],
  [
    'stages.0.noise={ kind: isotropic, batchSize: 7, order: anticorrelated }',
    /^stages\.0\.noise\.order: anticorrelated noise is of the same examples/,
  ],
  [
    ['stages.0.noise={ kind: isotropic, batchSize: 7 }', 'stages.0.microBatch=10'],
    /stages\.0\.noise: it is about the gradients of single examples/,
  ],
  ['stages.0.noise={ kind: isotropic, batchSize: 7, strength: -1 }', /stages\.0\.noise\.strength/],
])('%s is refused in one line', async (overrides, reason) => {
  await expect(train(...[overrides].flat())).rejects.toThrow(reason);
});
