import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createStream, restoreStream, type RandomStream } from '../../../data/random/streams.js';

const draw = {
  uniform: (stream: RandomStream) => stream.uniform(),
  integer: (stream: RandomStream) => stream.integer(1000),
  normal: (stream: RandomStream) => stream.normal(),
  permutation: (stream: RandomStream) => stream.permutation(5).join(),
};
const draws = fc.array(fc.constantFrom(...(Object.keys(draw) as (keyof typeof draw)[])), { maxLength: 20 });

describe('createStream', () => {
  it('never changes: runs of older versions must be repeatable', () => {
    const stream = createStream(0, 'initialisation');
    expect(stream.state()).toMatchInlineSnapshot(`
      [
        -556985593,
        1859682161,
        1385071072,
        2137980997,
      ]
    `);
    expect([stream.uniform(), stream.integer(1000), stream.normal()]).toMatchInlineSnapshot(`
      [
        0.5698231306164142,
        672,
        0.28318407000480866,
      ]
    `);
  });

  it('gives each name and each seed a stream of its own', () => {
    const names = ['initialisation', 'order', 'noise', 'evaluation', 'panel'] as const;
    const seeds = [-1, 0, 1, 2 ** 32, 2 ** 53 - 1];
    const first = seeds.flatMap((seed) => names.map((name) => createStream(seed, name).uniform()));
    expect(new Set(first).size).toBe(first.length);
  });

  it('refuses a seed that is no integer', () => {
    expect(() => createStream(0.5, 'order')).toThrow(RangeError);
    expect(() => createStream(2 ** 53, 'order')).toThrow(RangeError);
  });
});

describe('state', () => {
  it('restores a stream exactly after any draws', () => {
    fc.assert(
      fc.property(fc.integer(), draws, draws, (seed, before, after) => {
        const stream = createStream(seed, 'noise');
        for (const kind of before) draw[kind](stream);
        const restored = restoreStream(stream.state());
        const clone = stream.clone();
        const expected = after.map((kind) => draw[kind](stream));
        expect(after.map((kind) => draw[kind](restored))).toEqual(expected);
        expect(after.map((kind) => draw[kind](clone))).toEqual(expected);
        expect(restored.state()).toEqual(stream.state());
      }),
    );
  });

  it('survives JSON', () => {
    const stream = createStream(3, 'order');
    const saved: unknown = JSON.parse(JSON.stringify(stream.state()));
    expect(saved).toEqual(stream.state());
  });

  it('is refused when it is none', () => {
    for (const state of [[], [1, 2, 3], [0, 0, 0, 0], [1, 2, 3, 0.5], [1, 2, 3, 2 ** 31]]) {
      expect(() => restoreStream(state)).toThrow(RangeError);
    }
  });
});

describe('draws', () => {
  it('integers are uniform and below the bound', () => {
    const stream = createStream(1, 'order');
    const counts = new Float64Array(7);
    for (let i = 0; i < 70_000; i++) counts[stream.integer(7)]!++;
    const chiSquare = counts.reduce((sum, count) => sum + (count - 10_000) ** 2 / 10_000, 0);
    // 99.9 % quantile with 6 degrees of freedom
    expect(chiSquare).toBeLessThan(22.46);
    expect(() => stream.integer(0)).toThrow(RangeError);
    expect(() => stream.integer(1.5)).toThrow(RangeError);
  });

  it('permutations hold every number once', () => {
    fc.assert(
      fc.property(fc.integer(), fc.nat({ max: 50 }), (seed, n) => {
        const order = createStream(seed, 'order').permutation(n);
        expect(Array.from(order).sort((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, i) => i));
      }),
    );
  });

  it('every order of three is equally likely', () => {
    const stream = createStream(2, 'order');
    const counts = new Map<string, number>();
    for (let i = 0; i < 60_000; i++) {
      const order = stream.permutation(3).join();
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    const chiSquare = [...counts.values()].reduce((sum, count) => sum + (count - 10_000) ** 2 / 10_000, 0);
    expect(counts.size).toBe(6);
    // 99.9 % quantile with 5 degrees of freedom
    expect(chiSquare).toBeLessThan(20.52);
  });

  it('fillNormal draws what normal draws', () => {
    const filled = new Float32Array(100);
    createStream(4, 'noise').fillNormal(filled, 0.5);
    const stream = createStream(4, 'noise');
    expect(filled).toEqual(Float32Array.from({ length: 100 }, () => 0.5 * stream.normal()));
  });
});
