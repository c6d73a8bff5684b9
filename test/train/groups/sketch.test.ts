import { describe, expect, test } from 'vitest';
import { createStream } from '../../../data/random/streams.js';
import { createSketcher } from '../../../src/train/groups/sketch.js';

const sketch = (values: ArrayLike<number>, size: number, seed = 0, name = 'w'): Float64Array => {
  const target = new Float64Array(size);
  createSketcher(name, values.length, size, seed).add(values, target);
  return target;
};

test('golden vectors: the hash is the same on every machine, and for ever', () => {
  const ramp = Float64Array.from({ length: 16 }, (_, i) => i + 1);
  // Printed by test/fixtures/train/sketch.py, which spells the hash out in Python integers.
  expect([...sketch(ramp, 8)]).toEqual([-17, 5, 0, -15, -7, 6, -16, 6]);
  expect([...sketch(ramp, 8, 1)]).toEqual([-8, -3, -16, 20, -7, 0, -13, 9]);
  expect([...sketch(ramp, 5, 0, 'layers.0.attention.query_key_value.weight')]).toEqual([16, -18, -15, 7, -4]);
});

test('linear: the sketch of a sum is the sum of sketches', () => {
  const random = createStream(3, 'test');
  const a = Float64Array.from({ length: 500 }, () => random.normal());
  const b = Float64Array.from({ length: 500 }, () => random.normal());
  const sum = sketch(
    a.map((value, i) => value + 2 * b[i]!),
    64,
  );
  const parts = [sketch(a, 64), sketch(b, 64)] as const;
  sum.forEach((value, i) => expect(value).toBeCloseTo(parts[0][i]! + 2 * parts[1][i]!, 10));
});

const dot = (a: Float64Array, b: Float64Array): number => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
const cosine = (a: Float64Array, b: Float64Array): number => dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));

describe.each([
  { c: 0, size: 256 },
  { c: 0, size: 1024 },
  { c: 0.5, size: 1024 },
  { c: 0.9, size: 1024 },
])('cosine $c in $size buckets (check V9)', ({ c, size }) => {
  test('is unbiased, with the predicted standard deviation within 15 %', () => {
    // Heavy-tailed coordinates, as gradients have.
    const random = createStream(9, 'test');
    const length = 20_000;
    const tailed = (): Float64Array =>
      Float64Array.from({ length }, () => random.normal() * Math.exp(1.5 * random.normal()));
    const unit = (v: Float64Array): Float64Array => {
      const norm = Math.sqrt(dot(v, v));
      return v.map((value) => value / norm);
    };
    const a = unit(tailed());
    const raw = tailed();
    const along = dot(raw, a);
    const orthogonal = unit(raw.map((value, i) => value - along * a[i]!));
    const b = a.map((value, i) => c * value + Math.sqrt(1 - c * c) * orthogonal[i]!);
    const repetitions = 400;
    const errors: number[] = [];
    const products: number[] = [];
    for (let seed = 0; seed < repetitions; seed++) {
      const [x, y] = [sketch(a, size, seed), sketch(b, size, seed)];
      errors.push(cosine(x, y) - c);
      products.push(dot(x, y));
    }
    const mean = errors.reduce((sum, e) => sum + e, 0) / repetitions;
    const deviation = Math.sqrt(errors.reduce((sum, e) => sum + (e - mean) ** 2, 0) / (repetitions - 1));
    const predicted = (1 - c * c) / Math.sqrt(size);
    expect(deviation / predicted).toBeGreaterThan(0.85);
    expect(deviation / predicted).toBeLessThan(1.15);
    const meanProduct = products.reduce((sum, e) => sum + e, 0) / repetitions;
    expect(Math.abs(meanProduct - c)).toBeLessThan(
      (4 * Math.sqrt(1 + c * c)) / Math.sqrt(size * repetitions),
    );
  });
});

test('refuses a vector of another length', () => {
  expect(() => createSketcher('w', 4, 8, 0).add([1, 2, 3], new Float64Array(8))).toThrow(RangeError);
});
