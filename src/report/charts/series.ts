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
  readonly notPositive: number;
  /** Points in the x range, but outside the y range. */
  readonly outside: number;
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

interface Ends {
  low: number;
  high: number;
}

const noEnds = (): Ends => ({ low: Infinity, high: -Infinity });

function include(ends: Ends, low: number, high: number): void {
  ends.low = Math.min(ends.low, low);
  ends.high = Math.max(ends.high, high);
}

const rangeOf = ({ low, high }: Ends, log: boolean): Range | null =>
  low <= high ? widenRange(low, high, log) : null;

/**
 * What the axes span: the points that can be shown and their bands, of y only those in the x range, and `also` on
 * y. Null if there is no point to show. `omitted` is one a series.
 */
export function measure(
  series: readonly Series[],
  axes: Axes,
  also: readonly number[] = [],
): { readonly extents: Extents | null; readonly omitted: readonly Omitted[] } {
  const ends = { x: noEnds(), y: noEnds() };
  const omitted = series.map((own) => measurePoints(own, axes, ends));
  if (ends.x.low > ends.x.high) return { extents: extentsBetween(series, axes, also), omitted };
  for (const own of series) measureBand(own, axes, ends.y);
  for (const value of also) if (isShown(value, axes.logY)) include(ends.y, value, value);
  const x = axes.xRange ?? rangeOf(ends.x, axes.logX);
  const y = axes.yRange ?? rangeOf(ends.y, axes.logY);
  return { extents: x === null || y === null ? null : { x, y }, omitted };
}

/** What the axes span where a given x range holds no point, but may lie between two. */
function extentsBetween(series: readonly Series[], axes: Axes, also: readonly number[]): Extents | null {
  if (axes.xRange === null) return null;
  const { extents } = measure(series, { ...axes, xRange: null }, also);
  const [left, right] = axes.xRange;
  return extents === null || extents.x[0] > right || extents.x[1] < left
    ? null
    : { x: axes.xRange, y: extents.y };
}

function measurePoints({ x, y }: Series, axes: Axes, ends: { readonly x: Ends; readonly y: Ends }): Omitted {
  const { logX, logY } = axes;
  const [left, right] = axes.xRange ?? [-Infinity, Infinity];
  const [bottom, top] = axes.yRange ?? [-Infinity, Infinity];
  // Plain variables: a million points pass here.
  let [lowX, highX, lowY, highY, notPositive, outside] = [Infinity, -Infinity, Infinity, -Infinity, 0, 0];
  for (let i = 0; i < x.length; i++) {
    const at = x[i]!;
    const value = y[i]!;
    if (typeof value !== 'number' || !Number.isFinite(value) || !Number.isFinite(at)) continue;
    if ((logX && at <= 0) || (logY && value <= 0)) notPositive++;
    else if (at >= left && at <= right) {
      if (value < bottom || value > top) outside++;
      if (at < lowX) lowX = at;
      if (at > highX) highX = at;
      if (value < lowY) lowY = value;
      if (value > highY) highY = value;
    }
  }
  include(ends.x, lowX, highX);
  include(ends.y, lowY, highY);
  return { notPositive, outside };
}

/** The ends of a band in the x range; a band may go on where its line has gaps. */
function measureBand({ x, low, high }: Series, axes: Axes, ends: Ends): void {
  if (low === undefined || high === undefined) return;
  const [left, right] = axes.xRange ?? [-Infinity, Infinity];
  let [lowest, highest] = [Infinity, -Infinity];
  for (let i = 0; i < x.length; i++) {
    const at = x[i]!;
    const from = low[i];
    const to = high[i];
    if (!isShown(at, axes.logX) || !isShown(from, axes.logY) || !isShown(to, axes.logY)) continue;
    if (at < left || at > right) continue;
    lowest = Math.min(lowest, from, to);
    highest = Math.max(highest, from, to);
  }
  include(ends, lowest, highest);
}

/** `not positive, left out on the log axis: loss 3 points`. */
export function omissionNotes(series: readonly Series[], omitted: readonly Omitted[]): string[] {
  const list = (count: (own: Omitted) => number): string =>
    omitted
      .flatMap((own, i) =>
        count(own) === 0
          ? []
          : [`${series[i]!.name} ${count(own)} ${count(own) === 1 ? 'point' : 'points'}`.trim()],
      )
      .join(', ');
  const notPositive = list((own) => own.notPositive);
  const outside = list((own) => own.outside);
  return [
    ...(notPositive === '' ? [] : [`not positive, left out on the log axis: ${notPositive}`]),
    ...(outside === '' ? [] : [`outside the y range: ${outside}`]),
  ];
}
