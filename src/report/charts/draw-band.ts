import type { BrailleCanvas } from './braille-canvas.js';
import { dotX, dotY, type Projection } from './draw-line.js';
import { isShown } from './scale.js';
import type { Series } from './series.js';

/** Dots of a band: one in eight, in a quincunx. */
const isStippled = (column: number, row: number): boolean =>
  (column & 1) === 0 && (row & 3) === (((column >> 1) & 1) === 0 ? 0 : 2);

/** Shades the band of a series between `low` and `high`, straight between its points; gaps stay empty. */
export function drawBand(projection: Projection, { x, low, high }: Series, series: number): void {
  if (low === undefined || high === undefined) return;
  const { canvas } = projection;
  // Rows of the upper and lower edge of each column of dots; NaN where there is no band.
  const upper = new Float64Array(canvas.dotColumns).fill(NaN);
  const lower = new Float64Array(canvas.dotColumns).fill(NaN);
  const cover = (column: number, top: number, bottom: number): void => {
    if (!(column >= 0 && column < upper.length)) return;
    // Written so that NaN is replaced.
    if (!(upper[column]! <= top)) upper[column] = top;
    if (!(lower[column]! >= bottom)) lower[column] = bottom;
  };
  let before: readonly [column: number, top: number, bottom: number] | null = null;
  for (let i = 0; i < x.length; i++) {
    const from = low[i];
    const to = high[i];
    const at = x[i]!;
    if (!isShown(at, projection.x.log) || !isShown(from, projection.y.log) || !isShown(to, projection.y.log)) {
      before = null;
      continue;
    }
    const column = Math.round(dotX(projection, at));
    const top = dotY(projection, Math.max(from, to));
    const bottom = dotY(projection, Math.min(from, to));
    cover(column, top, bottom);
    if (before !== null) coverBetween(before, [column, top, bottom], upper.length, cover);
    before = [column, top, bottom];
  }
  stipple(canvas, upper, lower, series);
}

type Edge = readonly [column: number, top: number, bottom: number];

function coverBetween(a: Edge, b: Edge, columns: number, cover: (...edge: Edge) => void): void {
  const [left, right] = a[0] <= b[0] ? [a, b] : [b, a];
  const last = Math.min(columns - 1, right[0] - 1);
  for (let column = Math.max(0, left[0] + 1); column <= last; column++) {
    const share = (column - left[0]) / (right[0] - left[0]);
    cover(column, left[1] + share * (right[1] - left[1]), left[2] + share * (right[2] - left[2]));
  }
}

function stipple(canvas: BrailleCanvas, upper: Float64Array, lower: Float64Array, series: number): void {
  for (const [column, top] of upper.entries()) {
    if (Number.isNaN(top)) continue;
    const last = Math.min(canvas.dotRows - 1, Math.round(lower[column]!));
    for (let row = Math.max(0, Math.round(top)); row <= last; row++)
      if (isStippled(column, row)) canvas.set(column, row, series);
  }
}

/** A dotted line across the canvas at a value of y, one dot in `every`. */
export function drawAcross(projection: Projection, value: number, every: number): void {
  const row = dotY(projection, value);
  for (let column = 0; column < projection.canvas.dotColumns; column += every)
    projection.canvas.set(column, row, null);
}
