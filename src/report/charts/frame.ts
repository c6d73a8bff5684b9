import { CellGrid } from './cell-grid.js';
import { glyphs } from './glyphs.js';
import { type Marker, placeMarkerLabels } from './markers.js';
import { makeScale, type Range, type Scale } from './scale.js';
import { columnOf, type Plot, rowOf } from './plot-area.js';
import { fitText, textWidth } from './text-width.js';
import { tickLabels } from './tick-labels.js';
import { ticksOf } from './ticks.js';
import { drawXAxis } from './x-axis.js';

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
export interface PlotFrame {
  readonly grid: CellGrid;
  readonly x: Scale;
  readonly y: Scale;
  readonly plot: Plot;
  /** Labels for which there was no room. */
  readonly notes: readonly string[];
}

/**
 * Draws the axes. From the top: a row with the label of y and a row with those of the markers where the height
 * allows, the plot, the x axis with its label in it, the labels of its ticks.
 */
export function drawPlotFrame(options: FrameOptions): PlotFrame {
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
  drawXAxis(grid, x, plot, options.xLabel, signs);
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
}
