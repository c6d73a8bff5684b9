/** Lowest and highest value of an axis. */
export type Range = readonly [low: number, high: number];

/** Maps values of an axis to `[0, 1]` and back; values outside the range lie outside `[0, 1]`. */
export interface Scale {
  readonly range: Range;
  readonly log: boolean;
  toUnit(value: number): number;
  fromUnit(unit: number): number;
}

/** Positions farther away than this are as good as infinite: lines to them are vertical on any screen. */
const farthest = 1e6;

/** Whether an axis can show a value: finite, and positive on a log axis. */
export const isShown = (value: number | null | undefined, log: boolean): value is number =>
  typeof value === 'number' && Number.isFinite(value) && (!log || value > 0);

/** A scale over a range with `low < high`, both positive if `log`. */
export function makeScale(range: Range, log: boolean): Scale {
  const [from, to] = log ? [Math.log10(range[0]), Math.log10(range[1])] : range;
  // Halves, because the span of the largest numbers overflows.
  const span = to / 2 - from / 2;
  return {
    range,
    log,
    toUnit(value) {
      const position = log ? Math.log10(value) : value;
      return Math.max(-farthest, Math.min(farthest, (position / 2 - from / 2) / span));
    },
    fromUnit(unit) {
      const position = from * (1 - unit) + to * unit;
      return log ? 10 ** position : position;
    },
  };
}

/** The range of an axis that shows values between two: the two themselves, with room around a single value. */
export function widenRange(low: number, high: number, log: boolean): Range {
  const size = Math.max(Math.abs(low), Math.abs(high));
  if (high / 2 - low / 2 > Math.max(size * 1e-12, 1e-300)) return [low, high];
  if (log) return [Math.max(low / 3, Number.MIN_VALUE), Math.min(high * 3, Number.MAX_VALUE)];
  if (size < 1e-290) return [-1, 1];
  const room = size / 2;
  return [Math.max(low - room, -Number.MAX_VALUE), Math.min(high + room, Number.MAX_VALUE)];
}

/** @throws RangeError if a range given for an axis is not two finite numbers in order, or not positive on a log axis */
export function checkRange([low, high]: Range, log: boolean, axis: string): void {
  if (!isShown(low, log) || !isShown(high, log) || !(low < high))
    throw new RangeError(
      `the range of the ${axis} axis is a lower and a higher${log ? ' positive' : ''} number, not [${low}, ${high}]`,
    );
}
