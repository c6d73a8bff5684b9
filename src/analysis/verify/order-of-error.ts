import { near, relative } from './check.js';
import type { Comparison } from './check.js';

/** Slope of log `errors` on log `steps` by least squares: the order of an expansion's error. */
export function orderOfError(steps: readonly number[], errors: readonly number[]): number {
  const xs = steps.map(Math.log);
  const ys = errors.map(Math.log);
  const [mx, my] = [xs, ys].map((values) => values.reduce((sum, value) => sum + value, 0) / values.length);
  const top = xs.reduce((sum, x, i) => sum + (x - mx!) * (ys[i]! - my!), 0);
  return top / xs.reduce((sum, x) => sum + (x - mx!) ** 2, 0);
}

/** Errors that were found at some steps, and what they have to be. */
export interface ErrorTable {
  readonly name: string;
  readonly steps: readonly number[];
  readonly errors: readonly number[];
  readonly expected: readonly number[];
  readonly order: number;
}

/** The order of an error to 0.01 and its sizes to 1e-4 of themselves. */
export function errorComparisons({ name, steps, errors, expected, order }: ErrorTable): Comparison[] {
  return [
    near(`order of the error, ${name}`, orderOfError(steps, errors), order, 0.01),
    ...errors.map((error, i) => relative(`error at ${steps[i]}`, error, expected[i]!, 1e-4)),
  ];
}
