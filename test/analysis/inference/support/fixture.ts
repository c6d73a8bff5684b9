import fs from 'node:fs';
import { z } from 'zod';
import type {
  Absent,
  Estimate,
  EstimateValue,
  Interval,
} from '../../../../src/analysis/inference/estimate.js';

const everything = z
  .record(z.string(), z.unknown())
  .parse(
    JSON.parse(
      fs.readFileSync(new URL('../../../fixtures/analysis/inference.json', import.meta.url), 'utf8'),
    ),
  );

/** The part `name` of the reference numbers of scipy. */
export function fixture<S extends z.ZodType>(name: string, schema: S): z.infer<S> {
  return schema.parse(everything[name]);
}

export const numbers = z.array(z.number());
export const table = z.array(numbers);
export const interval = z.tuple([z.number(), z.number()]);

/** The result itself; fails when it is absent. */
export function present<T>(result: T | Absent): T {
  if (isAbsent(result)) throw new Error(`absent: ${result.reason}`);
  return result;
}

function isAbsent(result: unknown): result is Absent {
  return typeof result === 'object' && result !== null && 'kind' in result && result.kind === 'absent';
}

/** The interval of an estimate; fails when there is none. */
export function intervalOf(estimate: Estimate): Interval {
  const { interval, missing } = present<EstimateValue>(estimate);
  if (interval === null) throw new Error(`no interval: ${missing}`);
  return interval;
}

/** Largest difference of two rows of numbers. */
export function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Infinity;
  return Array.from(a, (value, i) => Math.abs(value - b[i]!)).reduce((x, y) => Math.max(x, y), 0);
}
