import { isShown } from './scale.js';
import type { Values } from './series.js';

/** Successive points in one column of dots. */
export interface Stroke {
  /** Lowest of `low` and highest of `high`. */
  readonly low: number;
  readonly high: number;
  /** The first point after them. */
  readonly end: number;
}

/**
 * The points from `start` on, itself shown, with x in `[from, to)`, up to the first that is not or that has no
 * value. A function of its own with plain comparisons: a million points pass here.
 */
export function strokeFrom(
  x: ArrayLike<number>,
  low: Values,
  high: Values,
  start: number,
  { from, to }: { readonly from: number; readonly to: number },
  log: boolean,
): Stroke {
  let lowest = low[start]!;
  let highest = high[start]!;
  let i = start + 1;
  for (; i < x.length; i++) {
    const at = x[i]!;
    if (!(at >= from && at < to)) break;
    const bottom = low[i];
    const top = high[i];
    if (!isShown(bottom, log) || !isShown(top, log)) break;
    if (bottom < lowest) lowest = bottom;
    if (top > highest) highest = top;
  }
  return { low: lowest, high: highest, end: i };
}
