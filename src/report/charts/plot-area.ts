import type { Scale } from './scale.js';

/** The plot's place on the grid, in characters. */
export interface Plot {
  readonly column: number;
  readonly row: number;
  readonly width: number;
  readonly height: number;
}

/** The column of the grid in which a value of x lies; outside the plot for what is outside the range. */
export const columnOf = (scale: Scale, { column, width }: Plot, value: number): number =>
  column + Math.floor(Math.round(scale.toUnit(value) * (2 * width - 1)) / 2);

/** The row of the grid in which a value of y lies. */
export const rowOf = (scale: Scale, { row, height }: Plot, value: number): number =>
  row + Math.floor(Math.round((1 - scale.toUnit(value)) * (4 * height - 1)) / 4);
