import { afterEach, expect, test, vi } from 'vitest';
import type { SketcherFactory } from '../../../src/analysis/verify/sketch-error.js';

/** Every check of `gradscope verify` must fail when a function that it vouches for is broken. */

type Fn = (...args: never[]) => unknown;

/** Breaks what a function returns. */
type Break = (result: unknown, args: readonly unknown[]) => unknown;

const scaled =
  (factor: number): Break =>
  (result) =>
    scale(result, factor);

/** Numbers, vectors and records of numbers, multiplied. */
function scale(value: unknown, factor: number): unknown {
  if (typeof value === 'number') return value * factor;
  if (value instanceof Float64Array) return value.map((own) => own * factor);
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([key, own]) => [key, typeof own === 'number' ? own * factor : own]),
    );
  }
  return value;
}

/** An interval half as wide. */
const narrowed: Break = (result) => {
  if (typeof result !== 'object' || result === null || !('interval' in result) || !('estimate' in result))
    return result;
  const { interval, estimate } = result;
  if (!Array.isArray(interval) || typeof estimate !== 'number') return result;
  return { ...result, interval: interval.map((end: number) => estimate + (end - estimate) / 2) };
};

/** Minibatches of which each gives its last row to the one before it. */
function turned(value: unknown): unknown {
  if (!Array.isArray(value)) return value;
  const minibatches: readonly Int32Array[] = value;
  return minibatches.map((own, k) => {
    const next = minibatches[(k + 1) % minibatches.length]!;
    return Int32Array.of(...own.slice(0, -1), next.at(-1)!);
  });
}

/** Check, module below src or data, exported function, how it is broken. */
const mutations: readonly (readonly [check: string, module: string, name: string, broken: Break])[] = [
  ['V0', 'src/analysis/measures/gradient-variance', 'gradientVariance', scaled(1.001)],
  ['V0', 'src/analysis/measures/variance-gradient', 'varianceGradient', scaled(1.001)],
  ['V0', 'src/analysis/measures/noise-scale', 'noiseScale', scaled(1.001)],
  ['V0', 'src/analysis/measures/cosine', 'cosine', scaled(1.001)],
  ['V0', 'src/analysis/measures/conflict-rate', 'conflictRate', scaled(1.001)],
  ['V0', 'src/analysis/measures/expected-minibatch-norm', 'expectedMinibatchNorm2', scaled(1.001)],
  ['V1', 'src/analysis/measures/kappa', 'kappa', scaled(1.05)],
  ['V1', 'src/analysis/measures/kappa', 'kappa', scaled(0)],
  ['V1', 'data/samplers', 'variancePenaltyFactor', scaled(1.05)],
  ['V1', 'src/analysis/measures/variance-gradient', 'varianceGradient', scaled(0.9)],
  ['V1', 'src/analysis/measures/hessian-vector', 'hessianVector', scaled(0.9)],
  ['V2', 'src/analysis/measures/expected-minibatch-norm', 'expectedMinibatchNorm2', scaled(1.001)],
  ['V2', 'data/samplers', 'minibatchVarianceFactor', scaled(1.001)],
  // A sampler that is taken for one that shuffles.
  ['V3', 'data/samplers', 'variancePenaltyFactor', (_, [own]) => 1 / (4 * populationOf(own))],
  ['V3', 'src/analysis/measures/hessian-vector', 'hessianVector', scaled(0.9)],
  ['V4', 'src/analysis/measures/composition-law', 'compositionLaw', scaled(1.001)],
  ['V4', 'src/analysis/measures/cooccurrence-law', 'sharingProbabilities', scaled(0.95)],
  ['V4', 'src/analysis/measures/cooccurrence-law', 'shuffledSharing', scaled(0.95)],
  // Pairs that are torn apart, or come together by chance.
  ['V4', 'data/composed-epoch', 'composedEpoch', (result) => turned(result)],
  ['V4b', 'src/analysis/measures/hessian-vector', 'hessianVector', scaled(0.9)],
  ['V5', 'src/analysis/measures/hessian-vector', 'hessianVector', scaled(0.9)],
  ['V6', 'src/analysis/measures/hessian-vector', 'hessianVector', scaled(0.9)],
  ['V7', 'src/analysis/measures/variance-gradient', 'shiftedGradient', scaled(1.001)],
  ['V7', 'src/analysis/measures/variance-gradient', 'varianceGradient', scaled(0.9)],
  ['V8', 'src/analysis/measures/batch-moments', 'populationMoments', scaled(1.001)],
  ['V8', 'src/analysis/measures/batch-moments', 'batchMoments', scaled(1.001)],
  ['V8', 'src/analysis/measures/two-batch-sizes', 'twoBatchSizes', scaled(1.001)],
  ['V8', 'src/analysis/measures/inner-product', 'meanInnerProduct', (result) => Number(result) + 0.05],
  ['V10', 'src/analysis/measures/gram', 'dot', (_, [a, b]) => float32Dot(a, b)],
  ['V11', 'src/analysis/measures/predicted-change', 'predictedChange', scaled(1.01)],
  ['V11', 'src/analysis/measures/preconditioned-cosine', 'adamDiagonal', scaled(1.01)],
  ['V11', 'src/analysis/measures/hessian-vector', 'hessianVector', scaled(0.9)],
  ['V12', 'src/analysis/factored-gradients', 'factoredProduct', scaled(1 + 1e-9)],
  [
    'V12',
    'src/analysis/factored-gradients',
    'factoredProduct',
    (result, args) => withoutCrossTerms(result, args),
  ],
  ['V14', 'src/analysis/measures/block-forces', 'blockForces', scaled(1.3)],
  ['V14', 'src/analysis/measures/kappa', 'kappa', scaled(0)],
  ['V13', 'src/analysis/inference/seeds/mean', 'meanOverSeeds', narrowed],
  ['V13', 'src/analysis/inference/bootstrap/hierarchical-mean', 'hierarchicalMean', narrowed],
];

function populationOf(own: unknown): number {
  return typeof own === 'object' && own !== null && 'population' in own ? Number(own.population) : NaN;
}

/** One by one in float32. */
function float32Dot(a: unknown, b: unknown): number {
  const [x, y] = [a, b].map((own) => Array.from(own as ArrayLike<number>));
  return x!.reduce((sum, value, i) => Math.fround(sum + Math.fround(value * y![i]!)), 0);
}

/** A table that is embedding and unembedding, its uses taken for two tables. */
function withoutCrossTerms(result: unknown, [, , tensor]: readonly unknown[]): unknown {
  return tensor === 'tied' ? Number(result) / 2 : result;
}

afterEach(() => {
  vi.doUnmock('../../../src/train/groups/sketch.js');
  vi.resetModules();
});

async function run(check: string, createSketcher?: SketcherFactory): Promise<boolean> {
  const { checksOf } = await import('../../../src/analysis/verify/registry.js');
  const shipped = await import('../../../src/train/groups/sketch.js');
  const checks = checksOf({ createSketcher: createSketcher ?? shipped.createSketcher });
  try {
    return checks.find(({ id }) => id === check)!.run().passed;
  } catch {
    return false;
  }
}

test.each(mutations.map(([check, module, name, broken], i) => ({ check, module, name, broken, i })))(
  '$check fails with a broken $name ($i)',
  async ({ check, module, name, broken }) => {
    const path = `../../../${module}.js`;
    let calls = 0;
    vi.resetModules();
    vi.doMock(path, async (importOriginal) => {
      const original = await importOriginal<Record<string, Fn>>();
      const real = original[name];
      if (real === undefined) throw new Error(`${module} has no ${name}`);
      return {
        ...original,
        [name]: (...args: never[]) => {
          calls++;
          return broken(real(...args), args);
        },
      };
    });
    try {
      expect(await run(check)).toBe(false);
      expect(calls).toBeGreaterThan(0);
    } finally {
      vi.doUnmock(path);
    }
  },
);

test.each([
  [
    'one bucket for half of the coordinates',
    (_p: number, value: number, half: boolean) => (half ? 0 : value),
  ],
  ['signs that are all equal', (_p: number, value: number) => Math.abs(value)],
] as const)('V9 fails with a sketch of %s', async (_name, change) => {
  const { createSketcher } = await import('../../../src/train/groups/sketch.js');
  const broken: SketcherFactory = (tensor, length, size, seed) => {
    const sketcher = createSketcher(tensor, length, size, seed);
    return {
      add: (values, target) => {
        const own = new Float64Array(size);
        sketcher.add(values, own);
        own.forEach((value, bucket) => (target[bucket]! += change(bucket, value, bucket % 2 === 0)));
      },
    };
  };
  expect(await run('V9', broken)).toBe(false);
});

test('every check has a mutation, and passes without one', async () => {
  const { checksOf } = await import('../../../src/analysis/verify/registry.js');
  const { createSketcher } = await import('../../../src/train/groups/sketch.js');
  const tested = new Set<string>(['V9', ...mutations.map(([check]) => check)]);
  expect(checksOf({ createSketcher }).map(({ id }) => id)).toEqual([...tested].toSorted(byNumber));
});

const byNumber = (a: string, b: string): number =>
  Number.parseInt(a.slice(1), 10) - Number.parseInt(b.slice(1), 10) || a.localeCompare(b);
