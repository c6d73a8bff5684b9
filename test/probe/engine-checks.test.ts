import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, test } from 'vitest';
import { engineChecks, engineChecksOf, shippedKernels, type Kernels } from '../../src/probe/engine-checks.js';
import { testEngine, useTestEngine } from '../train/support/engine.js';

beforeAll(useTestEngine);

test.each(engineChecks.map((check, i) => ({ ...check, i })))('$id ($i) holds on this engine', ({ run }) => {
  const before = tf.memory().numTensors;
  const { passed, detail } = run();
  expect(passed, detail).toBe(true);
  expect(tf.memory().numTensors).toBe(before);
});

test.runIf(testEngine === 'wasm')('long sums are taken in float64, over trailing axes and by replica', () => {
  const [replicas, size] = [2, 3000];
  const values = Float32Array.from({ length: replicas * size }, (_, i) => 1e4 + Math.sin(i));
  const exact = [0, 1].map((replica) =>
    values.subarray(replica * size, (replica + 1) * size).reduce((sum, value) => sum + value, 0),
  );
  const x = tf.tensor(values, [replicas, 3, size / 3]);
  const relative = (sums: tf.Tensor): number =>
    Math.max(...Array.from(sums.dataSync(), (value, i) => Math.abs(value / exact[i]! - 1)));
  expect(relative(tf.sum(x, [1, 2]))).toBeLessThan(6e-8);
  expect(tf.sum(x, [1, 2], true).shape).toEqual([2, 1, 1]);
  const total = tf.sum(x).dataSync()[0]!;
  expect(Math.abs(total / (exact[0]! + exact[1]!) - 1)).toBeLessThan(6e-8);
  // Leading axes, and few terms, are left to the engine's own kernel.
  expect(tf.sum(x, 0).shape).toEqual([3, size / 3]);
});

/** A kernel that is off, and the checks that must notice. */
const broken: readonly (readonly [what: string, checks: readonly number[], kernels: Partial<Kernels>])[] = [
  [
    'sketch that ignores signs',
    [0],
    {
      createSketcher: (...args) => {
        const sketcher = shippedKernels.createSketcher(...args);
        return {
          ...sketcher,
          add: (values, target) => {
            const own = new Float64Array(target.length);
            sketcher.add(values, own);
            own.forEach((value, bucket) => (target[bucket]! += Math.abs(value)));
          },
        };
      },
    },
  ],
  [
    'sum of squares that is off by 1e-5',
    [1],
    { blockProducts: (a, b) => shippedKernels.blockProducts(a, b).map((value) => value * (1 + 1e-5)) },
  ],
  [
    'transfer whose prediction is off by 10 %',
    [2],
    {
      createTransferMeter: (...args) => {
        const meter = shippedKernels.createTransferMeter(...args);
        return Object.assign(
          (...own: Parameters<typeof meter>) =>
            meter(...own).map((effect) => ({ ...effect, predicted: 1.1 * effect.predicted })),
          { dispose: () => meter.dispose() },
        );
      },
    },
  ],
  [
    'ghost products that are off by 1e-4',
    [3, 4],
    { ghostProducts: (...args) => shippedKernels.ghostProducts(...args).map((value) => value * (1 + 1e-4)) },
  ],
  [
    'products of formed gradients that are off by 1e-4',
    [3, 4],
    { denseProducts: (...args) => shippedKernels.denseProducts(...args).map((value) => value * (1 + 1e-4)) },
  ],
];

test.each(broken)('a %s fails its checks', (_what, places, kernels) => {
  const checks = engineChecksOf({ ...shippedKernels, ...kernels });
  for (const place of places) {
    const { passed, detail } = checks[place]!.run();
    expect(passed, detail).toBe(false);
  }
});

test('every check has a kernel whose error it notices', () => {
  expect(new Set(broken.flatMap(([, places]) => places))).toEqual(new Set(engineChecks.keys()));
});
