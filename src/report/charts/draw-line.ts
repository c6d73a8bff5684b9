import type { BrailleCanvas } from './braille-canvas.js';
import { isShown, type Scale } from './scale.js';
import type { Values } from './series.js';

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

/**
 * Draws a line through points. All that fall in one column of dots are drawn as one stroke from their lowest to
 * their highest, so that no spike is lost however many they are; columns are joined from the last point of one to
 * the first of the next. A value that cannot be shown interrupts the line.
 */
export function drawLine(projection: Projection, x: ArrayLike<number>, y: Values, series: number): void {
  const { canvas, x: scaleX, y: scaleY } = projection;
  const lastColumn = canvas.dotColumns - 1;
  // The column of the stroke; -1 and lastColumn + 1 for all that is to the left and right, NaN after a gap.
  let column = NaN;
  // Values of x in the column: a point in the same column as the one before needs no logarithm.
  let left = NaN;
  let right = NaN;
  let lowest = 0;
  let highest = 0;
  let lastX = 0;
  let lastY = 0;

  const finish = (): void => {
    if (column >= 0 && column <= lastColumn)
      canvas.line(column, dotY(projection, lowest), column, dotY(projection, highest), series);
  };

  for (let i = 0; i < x.length; i++) {
    const at = x[i]!;
    const value = y[i]!;
    if (!isShown(at, scaleX.log) || !isShown(value, scaleY.log)) {
      finish();
      column = left = right = NaN;
      continue;
    }
    if (at >= left && at < right) {
      if (value < lowest) lowest = value;
      if (value > highest) highest = value;
    } else {
      const dot = dotX(projection, at);
      const own = Math.max(-1, Math.min(lastColumn + 1, Math.round(dot)));
      finish();
      if (!Number.isNaN(column)) {
        const from = dotX(projection, lastX);
        // Drawn between the columns of dots, as strokes are.
        canvas.line(
          column < 0 || column > lastColumn ? from : column,
          dotY(projection, lastY),
          own < 0 || own > lastColumn ? dot : own,
          dotY(projection, value),
          series,
        );
      }
      column = own;
      left = own < 0 ? -Infinity : scaleX.fromUnit((own - 0.5) / lastColumn);
      right = own > lastColumn ? Infinity : scaleX.fromUnit((own + 0.5) / lastColumn);
      lowest = highest = value;
    }
    lastX = at;
    lastY = value;
  }
  finish();
}
