import { beforeAll, describe, expect, test } from 'vitest';
import { incision } from '../../../src/run/interventions/surgery.js';
import type { Engine } from '../../../src/train/engine/load.js';
import { useTestEngine } from '../../train/support/engine.js';
import { differencesOfStops, stepColumns, trainBrief, weightDifference } from '../intervention-support.js';

let engine: Engine;

beforeAll(async () => {
  engine = await useTestEngine();
});

const train = async (...overrides: string[]): Promise<string> =>
  (await trainBrief({ engine, overrides }))[0]!;

const between = 'first: { kind: definition }, second: { kind: qa }';
const columns = [
  'surgery_cosine',
  'surgery_cosine_after',
  'surgery_norm_ratio',
  'grad_norm',
  'changed_norm',
] as const;

const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, value, i) => sum + value * b[i]!, 0);

describe('two gradients', () => {
  const agreeing = [
    [1, 2, -1, 0.5],
    [0.3, 1, 2, 0.1],
  ] as const;
  const conflicting = [agreeing[0], agreeing[1].map((value) => -value)] as const;

  test.each([
    ['pcgrad', conflicting, 1],
    ['pcgrad', conflicting, 0.4],
    ['inject', agreeing, 1],
    ['inject', agreeing, 0.4],
  ] as const)('%s of %j at strength %d is the projection of both', (kind, [a, b], strength) => {
    const [aa, ab, bb] = [dot(a, a), dot(a, b), dot(b, b)];
    const projected = [
      a.map((value, i) => value - (strength * ab * b[i]!) / bb),
      b.map((value, i) => value - (strength * ab * a[i]!) / aa),
    ] as const;
    const { cosine, after, ofFirst, ofSecond } = incision(kind, strength, [aa, ab, bb]);
    a.forEach((value, i) =>
      expect(value + b[i]! + ofFirst * value + ofSecond * b[i]!).toBeCloseTo(
        projected[0][i]! + projected[1][i]!,
        12,
      ),
    );
    expect(cosine).toBeCloseTo(ab / Math.sqrt(aa * bb), 12);
    const [first, second] = projected;
    expect(after).toBeCloseTo(dot(first, second) / Math.sqrt(dot(first, first) * dot(second, second)), 12);
    if (strength === 1) {
      // Each is orthogonal to the other as it was, and they agree as much as they conflicted.
      expect(dot(first, b)).toBeCloseTo(0, 12);
      expect(after).toBeCloseTo(-cosine!, 12);
    }
  });

  test.each([
    ['pcgrad', agreeing],
    ['inject', conflicting],
  ] as const)('%s leaves the others as they are', (kind, [a, b]) => {
    const own = incision(kind, 1, [dot(a, a), dot(a, b), dot(b, b)]);
    expect(own).toMatchObject({ ofFirst: 0, ofSecond: 0, after: own.cosine });
  });

  test('without one of them nothing is done', () => {
    expect(incision('pcgrad', 1, [1, 0, 0])).toEqual({ cosine: null, after: null, ofFirst: 0, ofSecond: 0 });
  });
});

describe('in a run', () => {
  test('inject cuts where groups agree, pcgrad leaves them, bit for bit; equalNorm keeps the norm', async () => {
    // Definitions of either tag agree in training, so that inject has something to do and pcgrad has not.
    const tags = 'first: { tag: reliable }, second: { tag: unreliable }';
    const plain = await train();
    const injected = await train(`stages.0.surgery={ kind: inject, ${tags} }`);
    const spared = await train(`stages.0.surgery={ kind: pcgrad, ${tags} }`);
    const equal = await train(`stages.0.surgery={ kind: inject, ${tags}, equalNorm: true }`);
    const own = await stepColumns(injected, columns);
    expect(own.surgery_cosine[0]).toBeGreaterThan(0.1);
    expect(own.surgery_cosine_after[0]).toBeCloseTo(-own.surgery_cosine[0]!, 10);
    expect(own.changed_norm[0]! / own.grad_norm[0]!).toBeCloseTo(own.surgery_norm_ratio[0]!, 5);
    expect(own.surgery_norm_ratio[0]).toBeLessThan(0.95);
    expect(weightDifference(injected, plain)).toBeGreaterThan(1e-4);
    const kept = await stepColumns(equal, columns);
    expect(kept.surgery_norm_ratio[0]).toBeCloseTo(own.surgery_norm_ratio[0]!, 6);
    expect(kept.changed_norm[0]! / kept.grad_norm[0]!).toBeCloseTo(1, 5);
    const left = await stepColumns(spared, columns);
    expect(left.surgery_cosine.every((cosine) => !(cosine < 0))).toBe(true);
    expect(left.surgery_norm_ratio[0]).toBe(1);
    expect(weightDifference(spared, plain)).toBe(0);
  });

  test('stopped, resumed and beside others', async () => {
    const { weights, rows, alone } = await differencesOfStops(engine, [
      'stages.1.epochs=8',
      'evaluation.everyEpochs=100',
      `stages.0.surgery={ kind: inject, ${between}, equalNorm: true }`,
      'stages.1.surgery={ kind: inject, first: { tag: reliable }, second: { tag: unreliable }, strength: 0.5 }',
      'stages.1.freeze={ parameters: ["*embedding*"] }',
    ]);
    expect({ weights, rows }).toEqual({ weights: 0, rows: 0 });
    expect(alone).toBeLessThan(1e-5);
  });

  test.each([
    [
      'stages.1.surgery={ kind: pcgrad, first: { kind: definition }, second: { kind: qa } }',
      /^stage stage2: surgery\.second: the stage trains no rows of such groups; it has those of /,
    ],
    [
      'stages.0.surgery={ kind: pcgrad, first: { kind: definition }, second: { tag: reliable } }',
      /^stage stage1: surgery\.second: \S+\/definition is in first too/,
    ],
    [
      'stages.0.surgery={ kind: pcgrad, first: {}, second: { tag: reliable } }',
      /stages\.0\.surgery\.first: says of no group which it is/,
    ],
  ])('%s is refused in one line', async (override, reason) => {
    await expect(train(override)).rejects.toThrow(reason);
  });
});
