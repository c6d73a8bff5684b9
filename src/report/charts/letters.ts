import type { BrailleCanvas } from './braille-canvas.js';

export interface Letter {
  readonly column: number;
  readonly row: number;
  readonly series: number;
}

/** Columns from one letter of a series to the next. */
const apart = 24;

/**
 * Where the letters of `count` series go, in characters: on cells that the series drew last, at shifted columns so
 * that letters of lines that run together stand side by side. A series with any such cell gets one.
 */
export function placeLetters(canvas: BrailleCanvas, count: number): Letter[] {
  const period = Math.max(apart, 3 * count);
  const taken = new Set<number>();
  const placed: Letter[] = [];
  const place = (series: number, column: number): boolean => {
    const rows = Array.from({ length: canvas.height }, (_, row) => row).filter(
      (row) => canvas.cell(column, row).series === series && !taken.has(row * canvas.width + column),
    );
    // The middle of a stroke: the ends, which show how far it goes, stay.
    const row = rows[rows.length >> 1];
    if (row === undefined) return false;
    taken.add(row * canvas.width + column);
    placed.push({ column, row, series });
    return true;
  };
  for (let series = 0; series < count; series++) {
    const shift = Math.floor(((series + 0.5) / count) * Math.min(period, canvas.width));
    const before = placed.length;
    for (let column = shift; column < canvas.width; column += period) placeNear(column, series);
    for (let column = 0; placed.length === before && column < canvas.width; column++) place(series, column);
  }
  return placed;

  function placeNear(column: number, series: number): void {
    for (const step of [0, 1, -1, 2, -2, 3, -3]) if (place(series, column + step)) return;
  }
}
