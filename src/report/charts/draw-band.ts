import type { BrailleCanvas } from './braille-canvas.js';
import { columnAt, dotY, type Projection } from './draw-line.js';
import { isShown } from './scale.js';
import type { Series } from './series.js';
import { strokeFrom } from './stroke.js';

/** Dots of a band: one in eight, in a quincunx. */
const isStippled = (column: number, row: number): boolean =>
  (column & 1) === 0 && (row & 3) === (((column >> 1) & 1) === 0 ? 0 : 2);

/** Shades the band of a series between `low` and `high`, straight between its points; gaps stay empty. */
export function drawBand(projection: Projection, { x, low, high }: Series, series: number): void {
  if (low === undefined || high === undefined) return;
  const { canvas } = projection;
  const { log } = projection.y;
  // Rows of the upper and lower edge of each column of dots; NaN where there is no band.
  const upper = new Float64Array(canvas.dotColumns).fill(NaN);
  const lower = new Float64Array(canvas.dotColumns).fill(NaN);
  const cover = (column: number, top: number, bottom: number): void => {
    if (!(column >= 0 && column < upper.length)) return;
    // Written so that NaN is replaced.
    if (!(upper[column]! <= top)) upper[column] = top;
    if (!(lower[column]! >= bottom)) lower[column] = bottom;
  };
  let before: Edge | null = null;
  for (let i = 0; i < x.length;) {
    if (!isShown(x[i], projection.x.log) || !isShown(low[i], log) || !isShown(high[i], log)) {
      before = null;
      i++;
      continue;
    }
    const column = columnAt(projection, x[i]!);
    const edgeOf = (bottom: number, top: number): Edge => [
      Math.round(column.dot),
      dotY(projection, top),
      dotY(projection, bottom),
    ];
    if (before !== null) coverBetween(before, edgeOf(low[i]!, high[i]!), upper.length, cover);
    const stroke = strokeFrom(x, low, high, i, column, log);
    cover(...edgeOf(stroke.low, stroke.high));
    i = stroke.end;
    before = edgeOf(low[i - 1]!, high[i - 1]!);
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
