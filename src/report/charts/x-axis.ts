import type { CellGrid } from './cell-grid.js';
import type { Glyphs } from './glyphs.js';
import { columnOf, type Plot } from './plot-area.js';
import type { Scale } from './scale.js';
import { fitCells, textWidth } from './text-width.js';
import { tickLabels } from './tick-labels.js';
import { ticksOf } from './ticks.js';

/** Draws the axis in the row below a plot, its label in a gap between ticks, and the ticks' labels below it. */
export function drawXAxis(grid: CellGrid, scale: Scale, plot: Plot, label: string, signs: Glyphs): void {
  const row = plot.row + plot.height;
  const end = plot.column + plot.width;
  grid.put(plot.column - 1, row, signs.corner);
  for (let column = plot.column; column < end; column++) grid.put(column, row, signs.axisAcross);
  const ticks = placeTicks(scale, plot, grid.width);
  for (const tick of ticks) {
    grid.put(tick.column, row, signs.tickDown);
    grid.write(tick.start, row + 1, tick.label, signs.ellipsis);
  }
  if (label === '') return;
  const stops = [plot.column - 1, ...ticks.map(({ column }) => column), end];
  const [start, room] = placeInGap(stops, textWidth(label) + 2);
  const cells = fitCells(label, room - 2, signs.ellipsis);
  for (const [i, text] of [' ', ...cells, ' '].entries()) grid.put(start + i, row, text);
}

interface PlacedTick {
  readonly column: number;
  readonly start: number;
  readonly label: string;
}

/** The most ticks whose labels, centred below them, keep two columns apart. */
function placeTicks(scale: Scale, plot: Plot, width: number): readonly PlacedTick[] {
  for (let most = Math.max(2, Math.floor(plot.width / 8)); ; most--) {
    const ticks = ticksOf(scale, most);
    const labels = tickLabels(ticks, scale.log);
    const placed = ticks.map((tick, i): PlacedTick => {
      const column = columnOf(scale, plot, tick);
      const label = labels[i]!;
      const start = Math.max(0, Math.min(width - label.length, column - Math.floor(label.length / 2)));
      return { column, start, label };
    });
    const fits = (own: PlacedTick, i: number): boolean =>
      i === 0 || placed[i - 1]!.start + placed[i - 1]!.label.length + 2 <= own.start;
    if (placed.every(fits)) return placed;
    if (most <= 1) return placed.slice(0, 1);
  }
}

/** Where `wanted` columns go between stops: centred in the last gap that is wide enough, else at the right end. */
function placeInGap(stops: readonly number[], wanted: number): readonly [start: number, room: number] {
  for (let i = stops.length - 1; i > 0; i--) {
    const room = stops[i]! - stops[i - 1]! - 1;
    if (room >= wanted + 2) return [stops[i - 1]! + 1 + Math.floor((room - wanted) / 2), wanted];
  }
  const room = Math.min(wanted, stops.at(-1)! - stops[0]! - 1);
  return [stops.at(-1)! - room, room];
}
