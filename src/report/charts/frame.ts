import { CellGrid } from './cell-grid.js';
import { glyphs } from './glyphs.js';
import { type Marker, placeMarkerLabels } from './markers.js';
import { makeScale, type Range, type Scale } from './scale.js';
import { fitCells, fitText, textWidth } from './text-width.js';
import { tickLabels } from './tick-labels.js';
import { ticksOf } from './ticks.js';

export interface FrameOptions {
  readonly width: number;
  readonly height: number;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly x: { readonly range: Range; readonly log: boolean };
  readonly y: { readonly range: Range; readonly log: boolean };
  readonly markers: readonly Marker[];
  readonly ascii: boolean;
}

/** A grid with axes, ticks and labels, and the room they leave for a plot. */
export interface Frame {
  readonly grid: CellGrid;
  readonly x: Scale;
  readonly y: Scale;
  readonly plot: Plot;
  /** Labels for which there was no room. */
  readonly notes: readonly string[];
}

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

/**
 * Draws the axes. From the top: a row with the label of y and a row with those of the markers where the height
 * allows, the plot, the x axis with its label in it, the labels of its ticks.
 */
export function drawFrame(options: FrameOptions): Frame {
  const { width, height, ascii } = options;
  const signs = glyphs(ascii);
  const grid = new CellGrid(width, height);
  const x = makeScale(options.x.range, options.x.log);
  const y = makeScale(options.y.range, options.y.log);
  const markers = options.markers.filter(({ x: at }) => at >= x.range[0] && at <= x.range[1]);
  const labelled = markers.filter(({ label }) => label !== '');

  const spare = Math.max(0, Math.floor((height - 4) / 2));
  const yLabelRow = options.yLabel !== '' && spare > 0 ? 0 : null;
  const markerRow = labelled.length > 0 && spare > (yLabelRow ?? -1) + 1 ? (yLabelRow ?? -1) + 1 : null;
  const top = (markerRow ?? yLabelRow ?? -1) + 1;
  const plotHeight = height - top - 2;

  const yTicks = ticksOf(y, Math.max(2, Math.round(plotHeight / 2.5)));
  const yLabels = tickLabels(yTicks, y.log);
  const gutter = Math.min(Math.max(1, ...yLabels.map(textWidth)), Math.floor(width / 2));
  const plot: Plot = { column: gutter + 1, row: top, width: width - gutter - 1, height: plotHeight };

  drawYAxis();
  drawXAxis();
  const notes: string[] = [];
  if (yLabelRow !== null) grid.write(0, yLabelRow, options.yLabel, signs.ellipsis);
  else if (options.yLabel !== '') notes.push(`y: ${options.yLabel}`);
  notes.push(...placeMarkerLabels(grid, labelled, markerRow, (at) => columnOf(x, plot, at), signs.ellipsis));
  return { grid, x, y, plot, notes };

  function drawYAxis(): void {
    for (let row = top; row < top + plotHeight; row++) grid.put(gutter, row, signs.axisUp);
    let last = Infinity;
    for (const [i, tick] of yTicks.entries()) {
      const row = rowOf(y, plot, tick);
      if (row >= last) continue;
      last = row;
      grid.put(gutter, row, signs.tickLeft);
      grid.write(0, row, fitText(yLabels[i]!, gutter, signs.ellipsis, 'right'), signs.ellipsis);
    }
  }

  function drawXAxis(): void {
    const row = top + plotHeight;
    grid.put(gutter, row, signs.corner);
    for (let column = gutter + 1; column < width; column++) grid.put(column, row, signs.axisAcross);
    const ticks = placeTicks(x, plot, width);
    for (const { column, start, label } of ticks) {
      grid.put(column, row, signs.tickDown);
      grid.write(start, row + 1, label, signs.ellipsis);
    }
    if (options.xLabel === '') return;
    const stops = [gutter, ...ticks.map(({ column }) => column), width];
    const [start, room] = placeInGap(stops, textWidth(options.xLabel) + 2);
    const cells = fitCells(options.xLabel, room - 2, signs.ellipsis);
    for (const [i, text] of [' ', ...cells, ' '].entries()) grid.put(start + i, row, text);
  }
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
