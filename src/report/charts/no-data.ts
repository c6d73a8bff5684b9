import { CellGrid } from './cell-grid.js';
import type { ChartRow } from './chart.js';

/** A plot without anything to show: the words 'no data' in the middle. */
export function noDataRows(width: number, height: number): ChartRow[] {
  const text = 'no data';
  const grid = new CellGrid(width, height);
  grid.write((width - text.length) >> 1, (height - 1) >> 1, text, '');
  return grid.toRows();
}
