import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { SweepArm } from '../../src/run/sweep-config.js';
import { loadSweep } from '../../src/run/sweep-config.js';
import { packsOf, packsOfOthers, packsOfTask, parseTask, shareOf } from '../../src/run/sweep-tasks.js';

/** The study of figure 5: seven points with 12, 12, 8, 8, 6, 6 and 5 seeds. */
const { arms } = loadSweep('configs/sweeps/mnist-pairs.yaml');
const counts = arms.map(({ seeds }) => seeds.length);
const gigabyte = 1e9;

const named = (packs: ReturnType<typeof packsOf>): string[] =>
  packs.map(({ arm, seeds }) => `${arm.name}: ${seeds.join(' ')}`);

describe('packs of a sweep', () => {
  test('are one an arm, or at most so many seeds each, in the order of the file', () => {
    expect(counts).toEqual([12, 12, 8, 8, 6, 6, 5]);
    expect(named(packsOf(arms, {}))).toEqual(arms.map(({ name, seeds }) => `${name}: ${seeds.join(' ')}`));
    expect(named(packsOf(arms, { seeds: 5 })).slice(0, 5)).toEqual([
      '8: 0 1 2 3',
      '8: 4 5 6 7',
      '8: 8 9 10 11',
      '20: 0 1 2 3',
      '20: 4 5 6 7',
    ]);
    expect(packsOf(arms, { seeds: 1 })).toHaveLength(57);
  });

  test('are as large as the memory of a task holds, arm by arm', () => {
    const [large] = packsOf(arms, { seeds: 'auto', memory: 64 * gigabyte });
    expect(large!.seeds).toHaveLength(12);
    const small = packsOf(arms, { seeds: 'auto', memory: 0.4 * gigabyte });
    expect(small.length).toBeGreaterThan(arms.length);
    expect(small.flatMap(({ seeds }) => seeds)).toHaveLength(57);
    expect(packsOf(arms, { memory: 0.4 * gigabyte }).length).toBe(small.length);
  });

  test('suffice for as many tasks as there are, and are no smaller than that needs', () => {
    expect(packsOf(arms, { tasks: 57 })).toHaveLength(57);
    expect(packsOf(arms, { tasks: 7 })).toHaveLength(7);
    expect(packsOf(arms, { tasks: 20 })).toHaveLength(20);
    expect(packsOf(arms, { tasks: 1000 })).toHaveLength(57);
    expect(packsOf(arms, { tasks: 3 })).toHaveLength(7);
  });
});

const sweepOf = (seeds: readonly number[]): SweepArm[] =>
  seeds.map((count, i) => ({
    ...arms[0]!,
    name: `arm${i}`,
    seeds: Array.from({ length: count }, (_, seed) => seed),
  }));

test('tasks share all runs, none twice, evenly; each finds the same list, and the others behind its own', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 }),
      fc.integer({ min: 1, max: 60 }),
      fc.option(fc.integer({ min: 1, max: 20 }), { nil: undefined }),
      (seeds, count, pack) => {
        const packs = packsOf(sweepOf(seeds), { seeds: pack, tasks: count });
        const runs = packs.flatMap(({ arm, seeds: own }) => own.map((seed) => `${arm.name} ${seed}`));
        const all = seeds.flatMap((length, i) => Array.from({ length }, (_, seed) => `arm${i} ${seed}`));
        expect(runs).toEqual(all);
        const tasks = Array.from({ length: count }, (_, index) => packsOfTask(packs, { index, count }));
        expect(tasks.flat()).toEqual(packs);
        const sizes = tasks.map((own) => own.length);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
        for (const [index, own] of tasks.entries()) {
          const others = packsOfOthers(packs, { index, count });
          expect(new Set([...own, ...others]).size).toBe(packs.length);
          expect(own.length + others.length).toBe(packs.length);
        }
        if (pack !== undefined) expect(packs.every(({ seeds: own }) => own.length <= pack)).toBe(true);
      },
    ),
  );
});

describe('--task', () => {
  test('names a task and how many there are', () => {
    expect(parseTask('3/57')).toEqual({ index: 3, count: 57 });
    expect(parseTask('3')).toEqual({ index: 3, count: null });
    const packs = packsOf(arms, {});
    expect(shareOf(parseTask('6'), packs)).toEqual({ index: 6, count: 7 });
    expect(shareOf(parseTask('6/9'), packs)).toEqual({ index: 6, count: 9 });
    expect(() => shareOf(parseTask('7'), packs)).toThrow('the sweep has 7 tasks, numbered from 0');
  });

  test.each(['', '57/57', '-1/3', '1/0', 'a/3', '1/3/5', '1.5/3', '/3'])('%j is refused', (text) => {
    expect(() => parseTask(text)).toThrow(/expected I\/N/);
  });
});
