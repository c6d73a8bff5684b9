import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { PythonRandom } from '../../../data/random/python-random.js';

/** Drawn by CPython itself: see make_python_random.py. */
const fixture = z
  .array(
    z.object({
      seed: z.string(),
      random: z.array(z.number()),
      getrandbits: z.array(z.tuple([z.number(), z.number()])),
      randbelow: z.array(z.tuple([z.number(), z.number()])),
      randrange: z.array(z.tuple([z.tuple([z.number()], z.number()), z.number()])),
      choice: z.string(),
      sample: z.array(z.tuple([z.number(), z.number(), z.array(z.number())])),
      shuffle: z.array(z.number()),
      later: z.number(),
    }),
  )
  .parse(
    JSON.parse(readFileSync(new URL('../../fixtures/data/python-random.json', import.meta.url), 'utf8')),
  );

const letters = 'abcdefghijklmnopqrstuvwxyz';
const numbers = (n: number) => Array.from({ length: n }, (_, i) => i);

describe('PythonRandom', () => {
  it.each(fixture)('draws what CPython draws from seed $seed', (expected) => {
    const random = new PythonRandom(BigInt(expected.seed));
    expect(expected.random.map(() => random.random())).toEqual(expected.random);
    for (const [bits, drawn] of expected.getrandbits) expect(random.getrandbits(bits)).toBe(drawn);
    for (const [size, drawn] of expected.randbelow) expect(random.randbelow(size)).toBe(drawn);
    for (const [[start, stop, step], drawn] of expected.randrange) {
      expect(random.randrange(start, stop, step)).toBe(drawn);
    }
    expect(Array.from({ length: 20 }, () => random.choice(letters)).join('')).toBe(expected.choice);
    for (const [n, k, drawn] of expected.sample) expect(random.sample(numbers(n), k)).toEqual(drawn);
    const shuffled = numbers(30);
    random.shuffle(shuffled);
    expect(shuffled).toEqual(expected.shuffle);
    for (let i = 0; i < 1999; i++) random.random();
    expect(random.random()).toBe(expected.later);
  });

  it('takes numbers as seeds', () => {
    expect(new PythonRandom(-7).random()).toBe(new PythonRandom(7n).random());
    expect(new PythonRandom(0).random()).toBe(0.8444218515250481);
  });

  it('shuffles as in the published data', () => {
    const shuffled = numbers(10);
    new PythonRandom(0).shuffle(shuffled);
    expect(shuffled).toEqual([7, 8, 1, 5, 3, 4, 2, 0, 9, 6]);
  });

  it('mixes calls as in the published data', () => {
    const random = new PythonRandom(0);
    expect(Array.from({ length: 8 }, () => random.choice(letters)).join('')).toBe('mynbiqpm');
    expect(random.random()).toBe(0.9182343317851318);
    expect(random.sample(numbers(100), 5)).toEqual([38, 61, 45, 74, 27]);
  });

  it('leaves the population of a sample as it was', () => {
    const population = numbers(10);
    new PythonRandom(0).sample(population, 10);
    expect(population).toEqual(numbers(10));
  });

  it('refuses what has no answer', () => {
    const random = new PythonRandom(0);
    expect(() => new PythonRandom(0.5)).toThrow(RangeError);
    expect(() => random.choice([])).toThrow(RangeError);
    expect(() => random.randbelow(0)).toThrow(RangeError);
    expect(() => random.randrange(5, 5)).toThrow(RangeError);
    expect(() => random.randrange(1, 5, 0)).toThrow(RangeError);
    expect(() => random.sample([1, 2], 3)).toThrow(RangeError);
    expect(() => random.sample([1, 2], -1)).toThrow(RangeError);
    expect(() => random.getrandbits(54)).toThrow(RangeError);
  });
});
