import { expect, test } from 'vitest';
import { createStream } from '../../../data/random/streams.js';
import { samplingOf } from '../../../data/samplers.js';
import { blockForces } from '../../../src/analysis/measures/block-forces.js';
import type { GradientAt } from '../../../src/analysis/measures/hessian-vector.js';

const [examples, size, epsilon] = [12, 5, 0.1];
const random = createStream(0, 'block forces');
const numbers = (): Float64Array => Float64Array.from({ length: size }, () => random.normal());
const curvatures = Array.from({ length: examples }, numbers);
const centres = Array.from({ length: examples }, numbers);
const start = numbers();

/** Of the quadratic loss `sum_p h_p (theta_p - a_p)^2 / 2`, whose Hessian is the diagonal h. */
const gradients = curvatures.map(
  (h, i): GradientAt =>
    (at) =>
      at.map((value, p) => h[p]! * (value - centres[i]![p]!)),
);
const sum = (of: (p: number) => number): number =>
  Array.from({ length: size }, (_, p) => of(p)).reduce((total, own) => total + own, 0);
const mean = (of: (i: number) => number): number =>
  Array.from({ length: examples }, (_, i) => of(i)).reduce((total, own) => total + own, 0) / examples;

test('forces of quadratic losses are those of their closed form', () => {
  const g = gradients.map((gradient) => gradient(start));
  const G = (p: number): number => mean((i) => g[i]![p]!);
  const H = (p: number): number => mean((i) => curvatures[i]![p]!);
  const [a, b] = [2, 7];
  const slope = (p: number): number => curvatures[a]![p]! * g[b]![p]! + curvatures[b]![p]! * g[a]![p]!;
  const sampling = samplingOf({ sampler: 'shuffle', batchSize: 3, examples });
  const found = blockForces([gradients[a]!, gradients[b]!], gradients, start, epsilon, sampling);
  expect(found.task).toBeCloseTo(-sum((p) => slope(p) * G(p)), 8);
  expect(found.norm).toBeCloseTo(-(epsilon / 2) * sum((p) => slope(p) * H(p) * G(p)), 8);
  // (N - B) / (N - 1) epsilon / (4 B)
  const kappa = ((examples - 3) / (examples - 1)) * (epsilon / 12);
  const variance = (p: number): number => 2 * mean((i) => curvatures[i]![p]! * (g[i]![p]! - G(p)));
  expect(found.alignment).toBeCloseTo(-kappa * sum((p) => slope(p) * variance(p)), 8);
  expect(Math.abs(found.alignment)).toBeGreaterThan(1e-3);
});

test('the variance has no force on the full batch, and none where all curve alike', () => {
  const full = samplingOf({ sampler: 'shuffle', batchSize: examples, examples });
  expect(blockForces([gradients[0]!, gradients[1]!], gradients, start, epsilon, full).alignment).toBeCloseTo(
    0,
    12,
  );
  const alike = centres.map(
    (centre): GradientAt =>
      (at) =>
        at.map((value, p) => curvatures[0]![p]! * (value - centre[p]!)),
  );
  const sampling = samplingOf({ sampler: 'shuffle', batchSize: 3, examples });
  expect(blockForces([alike[0]!, alike[1]!], alike, start, epsilon, sampling).alignment).toBeCloseTo(0, 8);
});
