import type { Range } from './scale.js';
import type { Series, Values } from './series.js';

/** More points than this are thinned before they are drawn. */
const least = 4096;

/** The points of a series with x in a range, and one on either side, so that lines go on to the edges. */
export function cutSeries(series: Series, range: Range | null): Series {
  if (range === null) return series;
  const { x, y, low, high } = series;
  const from = Math.max(0, firstAtLeast(x, range[0]) - 1);
  const to = Math.min(x.length, firstAtLeast(x, range[1]) + 2);
  return {
    ...series,
    x: part(x, from, to),
    y: part(y, from, to),
    low: low === undefined ? undefined : part(low, from, to),
    high: high === undefined ? undefined : part(high, from, to),
  };
}

/**
 * A curve of many points as one of at most `4 * buckets`: of each bucket of successive points the first, the lowest, the
 * highest and the last, in order, so that what is drawn is the same as long as a bucket is no wider than a column of
 * dots. A value that is missing stays a gap. Series with a band, and those of few points, come back as they are.
 */
export function decimate(series: Series, buckets: number): Series {
  const { x, y, low } = series;
  if (low !== undefined || x.length <= Math.max(least, 4 * buckets)) return series;
  const [xs, ys]: [number[], (number | null)[]] = [[], []];
  const take = (i: number): void => {
    xs.push(x[i]!);
    ys.push(y[i] ?? null);
  };
  for (let bucket = 0; bucket < buckets; bucket++) {
    const from = Math.floor((bucket * x.length) / buckets);
    const to = Math.floor(((bucket + 1) * x.length) / buckets);
    let [lowest, highest, gap] = [-1, -1, -1];
    for (let i = from; i < to; i++) {
      const value = y[i];
      if (value === null || value === undefined || !Number.isFinite(value)) gap = i;
      else {
        if (lowest < 0 || value < y[lowest]!) lowest = i;
        if (highest < 0 || value > y[highest]!) highest = i;
      }
    }
    const places = [from, lowest, highest, gap, to - 1].filter((i) => i >= from && i < to);
    for (const i of [...new Set(places)].toSorted((a, b) => a - b)) take(i);
  }
  return { ...series, x: xs, y: ys };
}

function firstAtLeast(x: ArrayLike<number>, value: number): number {
  let [low, high] = [0, x.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (x[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** A part of numbers, without a copy where they are a typed array. */
function part<T extends number | null>(values: ArrayLike<T>, from: number, to: number): ArrayLike<T>;
function part(values: Values, from: number, to: number): Values {
  return values instanceof Float64Array || values instanceof Int32Array
    ? values.subarray(from, to)
    : Array.from({ length: to - from }, (_, i) => values[from + i]!);
}
