import type { BrailleCanvas } from './braille-canvas.js';
import { isShown, type Scale } from './scale.js';
import type { Values } from './series.js';
import { strokeFrom } from './stroke.js';

/** Where values lie on a canvas, in dots. */
export interface Projection {
  readonly x: Scale;
  readonly y: Scale;
  readonly canvas: BrailleCanvas;
}

export const dotX = ({ x, canvas }: Projection, value: number): number =>
  x.toUnit(value) * (canvas.dotColumns - 1);

export const dotY = ({ y, canvas }: Projection, value: number): number =>
  (1 - y.toUnit(value)) * (canvas.dotRows - 1);

/** A column of dots and the values of x in it, `[from, to)`; outside the canvas all of a side are one column. */
interface Column {
  /** Rounded inside the canvas. */
  readonly dot: number;
  readonly isInside: boolean;
  readonly from: number;
  readonly to: number;
}

export function columnAt({ x, canvas }: Projection, value: number): Column {
  const last = canvas.dotColumns - 1;
  const dot = x.toUnit(value) * last;
  const column = Math.round(dot);
  if (column < 0)
    return {
      dot,
      isInside: false,
      from: x.log ? Number.MIN_VALUE : -Number.MAX_VALUE,
      to: x.fromUnit(-0.5 / last),
    };
  if (column > last) return { dot, isInside: false, from: x.fromUnit((last + 0.5) / last), to: Infinity };
  const from = x.fromUnit((column - 0.5) / last);
  return { dot: column, isInside: true, from, to: x.fromUnit((column + 0.5) / last) };
}

/**
 * Draws a line through points. All that fall in one column of dots are drawn as one stroke from their lowest to
 * their highest, so that no spike is lost however many they are; columns are joined from the last point of one to
 * the first of the next. A value that cannot be shown interrupts the line.
 */
export function drawLine(projection: Projection, x: ArrayLike<number>, y: Values, series: number): void {
  const { canvas, x: scaleX, y: scaleY } = projection;
  /** The last point before, null after a gap. */
  let before: { readonly dot: number; readonly value: number } | null = null;
  for (let i = 0; i < x.length;) {
    const at = x[i]!;
    const value = y[i]!;
    if (!isShown(at, scaleX.log) || !isShown(value, scaleY.log)) {
      before = null;
      i++;
      continue;
    }
    const column = columnAt(projection, at);
    if (before !== null)
      canvas.line(before.dot, dotY(projection, before.value), column.dot, dotY(projection, value), series);
    const stroke = strokeFrom(x, y, y, i, column, scaleY.log);
    if (column.isInside)
      canvas.line(
        column.dot,
        dotY(projection, stroke.low),
        column.dot,
        dotY(projection, stroke.high),
        series,
      );
    i = stroke.end;
    before = { dot: column.isInside ? column.dot : dotX(projection, x[i - 1]!), value: y[i - 1]! };
  }
}
