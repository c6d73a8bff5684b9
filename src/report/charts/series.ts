import { checkRange, isShown, type Range, widenRange } from './scale.js';

/** Numbers of any length that need not be copied: arrays and typed arrays. Null, NaN and infinities are gaps. */
export type Values = ArrayLike<number | null>;

export interface Series {
  readonly name: string;
  /** In ascending order for a curve; any order is drawn, as a path. */
  readonly x: ArrayLike<number>;
  readonly y: Values;
  /** A band around the line, e.g. an interval; both or neither. */
  readonly low?: Values | undefined;
  readonly high?: Values | undefined;
  /** Colour index; the series' place by default. */
  readonly color?: number | undefined;
}

/** Which axes are logarithmic and what they span; the range of the data by default. */
export interface Axes {
  readonly logX: boolean;
  readonly logY: boolean;
  readonly xRange: Range | null;
  readonly yRange: Range | null;
}

export interface Extents {
  readonly x: Range;
  readonly y: Range;
}

/** What of a series cannot be drawn. */
export interface Omitted {
  /** Points with a value that is not positive on a log axis. */
  notPositive: number;
  /** Points in the x range, but outside the y range. */
  outside: number;
}

/** @throws RangeError if the columns of a series differ in length, or a given range cannot be shown */
export function checkSeries(series: readonly Series[], axes: Axes): void {
  for (const { name, x, y, low, high } of series) {
    if ((low === undefined) !== (high === undefined))
      throw new RangeError(`series ${name}: a band has both 'low' and 'high'`);
    for (const [column, values] of Object.entries({ y, low, high }))
      if (values !== undefined && values.length !== x.length)
        throw new RangeError(`series ${name}: ${x.length} values of x, but ${values.length} of ${column}`);
  }
  if (axes.xRange !== null) checkRange(axes.xRange, axes.logX, 'x');
  if (axes.yRange !== null) checkRange(axes.yRange, axes.logY, 'y');
}

/** Grows with the values it is shown. */
class Extent {
  low = Infinity;
  high = -Infinity;

  add(value: number): void {
    if (value < this.low) this.low = value;
    if (value > this.high) this.high = value;
  }

  range(log: boolean): Range | null {
    return this.low <= this.high ? widenRange(this.low, this.high, log) : null;
  }
}

/**
 * What the axes span: the points that can be shown and their bands, of y only those in the x range, and `also` on
 * y. Null if there is no point to show. `omitted` is one a series.
 */
export function measure(
  series: readonly Series[],
  axes: Axes,
  also: readonly number[] = [],
): { readonly extents: Extents | null; readonly omitted: readonly Omitted[] } {
  const ends = { x: new Extent(), y: new Extent() };
  const omitted = series.map((own) => measureOne(own, axes, ends));
  const isEmpty = ends.x.low > ends.x.high;
  for (const value of also) if (isShown(value, axes.logY)) ends.y.add(value);
  const x = axes.xRange ?? ends.x.range(axes.logX);
  const y = axes.yRange ?? ends.y.range(axes.logY);
  return { extents: isEmpty || x === null || y === null ? null : { x, y }, omitted };
}

function measureOne({ x, y, low, high }: Series, axes: Axes, ends: { x: Extent; y: Extent }): Omitted {
  const { logX, logY } = axes;
  const [left, right] = axes.xRange ?? [-Infinity, Infinity];
  const [bottom, top] = axes.yRange ?? [-Infinity, Infinity];
  const omitted: Omitted = { notPositive: 0, outside: 0 };
  for (let i = 0; i < x.length; i++) {
    const at = x[i]!;
    const value = y[i]!;
    if (!isShown(at, false) || !isShown(value, false)) continue;
    if ((logX && at <= 0) || (logY && value <= 0)) {
      omitted.notPositive++;
      continue;
    }
    if (at < left || at > right) continue;
    if (value < bottom || value > top) omitted.outside++;
    ends.x.add(at);
    ends.y.add(value);
    if (low === undefined || high === undefined) continue;
    const from = low[i];
    const to = high[i];
    if (isShown(from, logY) && isShown(to, logY)) {
      ends.y.add(from);
      ends.y.add(to);
    }
  }
  return omitted;
}

/** `not positive, left out on the log axis: loss 3 points`. */
export function omissionNotes(series: readonly Series[], omitted: readonly Omitted[]): string[] {
  const list = (count: (own: Omitted) => number): string =>
    omitted
      .flatMap((own, i) =>
        count(own) === 0 ? [] : [`${series[i]!.name} ${count(own)} ${count(own) === 1 ? 'point' : 'points'}`.trim()],
      )
      .join(', ');
  const notPositive = list((own) => own.notPositive);
  const outside = list((own) => own.outside);
  return [
    ...(notPositive === '' ? [] : [`not positive, left out on the log axis: ${notPositive}`]),
    ...(outside === '' ? [] : [`outside the y range: ${outside}`]),
  ];
}
