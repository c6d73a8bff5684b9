import fs from 'node:fs';
import * as fc from 'fast-check';
import { z } from 'zod';
import type { Gram } from '../../../../src/analysis/measures/gram.js';
import { gramOf } from '../../../../src/analysis/measures/gram.js';

const numbers = z.array(z.number());

/** What numpy made of two groups of gradients, each measure from its definition. */
export const reference = z
  .object({ definitions: z.array(numbers), questions: z.array(numbers), secondMoments: numbers })
  .catchall(z.union([z.number(), numbers, z.array(numbers)]))
  .parse(
    JSON.parse(
      fs.readFileSync(new URL('../../../fixtures/gradient-maths/measures.json', import.meta.url), 'utf8'),
    ),
  );

/** One number of the reference. */
export function expected(name: string): number {
  return z.number().parse(reference[name]);
}

/** A row of numbers of the reference. */
export function expectedRow(name: string): readonly number[] {
  return numbers.parse(reference[name]);
}

/** `from .. to - 1`. */
export function between(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}

/** The value; fails with the reason when there is none. */
export function present<T extends number | object>(value: T | string): T {
  if (typeof value === 'string') throw new Error(`absent: ${value}`);
  return value;
}

const coordinate = fc.integer({ min: -10_000, max: 10_000 }).map((value) => value / 1000);

/** 3 to 8 gradients of 5 numbers whose squared lengths and whose sum's are well above rounding. */
export const gradients = fc
  .array(fc.array(coordinate, { minLength: 5, maxLength: 5 }), { minLength: 3, maxLength: 8 })
  .filter((vectors) => {
    const sum = vectors.reduce((total, vector) => total.map((value, p) => value + vector[p]!));
    return [...vectors, sum].every((vector) => vector.some((value) => Math.abs(value) > 0.5));
  });

/** The examples of a Gram matrix in another order: example `i` is the old `order[i]`. */
export function permuted(vectors: readonly number[][], order: readonly number[]): Gram {
  return gramOf(order.map((i) => vectors[i]!));
}
