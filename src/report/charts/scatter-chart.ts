import { BrailleCanvas } from './braille-canvas.js';
import { type Chart, checkSize } from './chart.js';
import { dotX, dotY } from './draw-line.js';
import { drawPlotFrame, type PlotFrame } from './frame.js';
import { glyphs, seriesMark } from './glyphs.js';
import { type LegendEntry, legendRows } from './legend.js';
import { noDataRows } from './no-data.js';
import { paintLines } from './paint.js';
import { columnOf, rowOf } from './plot-area.js';
import type { PlotOptions } from './plot-options.js';
import { isShown } from './scale.js';
import { checkSeries, measure, omissionNotes, type Series } from './series.js';
import { wrapText } from './text-width.js';

/** A curve to compare points with, e.g. a fit. */
export interface Curve {
  readonly name: string;
  /** Its height at x, both in units of the axes; what is not finite is a gap. */
  readonly y: (x: number) => number;
}

/** The series are points; their bands are not drawn. */
export interface ScatterChartOptions extends PlotOptions {
  /** Draws the line y = x. */
  readonly identity?: boolean | undefined;
  readonly curves?: readonly Curve[] | undefined;
}

/**
 * Points as marks, one kind a series, with axes and curves. A cell shows the mark of the last series with a point
 * in it; a note says how many cells hold several series.
 *
 * @throws RangeError as `lineChart`
 */
export function scatterChart(options: ScatterChartOptions): Chart {
  const { series, width, height, ascii = false } = options;
  checkSize(width, height);
  const axes = {
    logX: options.logX ?? false,
    logY: options.logY ?? false,
    xRange: options.xRange ?? null,
    yRange: options.yRange ?? null,
  };
  const points = series.map(({ name, x, y, color }): Series => ({ name, x, y, color }));
  checkSeries(points, axes);
  const { ellipsis, reference } = glyphs(ascii);
  const { extents, omitted } = measure(points, axes);
  const omissions = omissionNotes(points, omitted);
  const wrap = (notes: readonly string[]): string[] =>
    notes.flatMap((note) => wrapText(note, width, ellipsis));
  if (extents === null)
    return { width, rows: noDataRows(width, height), legend: [], notes: wrap(omissions), readout: null };

  const frame = drawPlotFrame({
    width,
    height,
    xLabel: options.xLabel ?? '',
    yLabel: options.yLabel ?? '',
    x: { range: extents.x, log: axes.logX },
    y: { range: extents.y, log: axes.logY },
    markers: [],
    ascii,
  });
  const identity: Curve[] = options.identity ? [{ name: 'y = x', y: (x) => x }] : [];
  const curves = [...identity, ...(options.curves ?? [])];
  drawCurves(frame, curves, ascii);
  const colors = points.map(({ color }, i) => color ?? i);
  const crowded = drawPoints(frame, points, colors);
  const crowdedNote = `cells with points of several series, of which the last shows: ${crowded}`;
  return {
    width,
    rows: frame.grid.toRows(),
    legend: legendRows(
      [
        ...points.flatMap(({ name }, i): LegendEntry[] =>
          name === '' && points.length === 1 ? [] : [{ mark: seriesMark(i), name, color: colors[i]! }],
        ),
        ...curves.map(({ name }): LegendEntry => ({ mark: reference.repeat(3), name, color: null })),
      ],
      width,
      ellipsis,
    ),
    notes: wrap([...frame.notes, ...omissions, ...(crowded > 0 ? [crowdedNote] : [])]),
    readout: null,
  };
}

/** Draws curves from each column of dots to the next. */
function drawCurves(frame: PlotFrame, curves: readonly Curve[], ascii: boolean): void {
  const { x, y, plot } = frame;
  const canvas = new BrailleCanvas(plot.width, plot.height);
  const projection = { x, y, canvas };
  for (const { y: heightAt } of curves)
    for (let column = 1; column < canvas.dotColumns; column++) {
      const [from, to] = [column - 1, column].map((dot) => x.fromUnit(dot / (canvas.dotColumns - 1)));
      const [start, end] = [heightAt(from!), heightAt(to!)];
      if (isShown(start, y.log) && isShown(end, y.log))
        canvas.line(
          dotX(projection, from!),
          dotY(projection, start),
          dotX(projection, to!),
          dotY(projection, end),
          null,
        );
    }
  paintLines(frame, new BrailleCanvas(plot.width, plot.height), canvas, [], ascii);
}

/** Puts the marks of points into the grid; returns how many cells hold points of several series. */
function drawPoints(
  { grid, plot, x, y }: PlotFrame,
  series: readonly Series[],
  colors: readonly number[],
): number {
  const owners = new Map<number, number>();
  const crowded = new Set<number>();
  for (const [i, own] of series.entries())
    for (let point = 0; point < own.x.length; point++) {
      const at = own.x[point]!;
      const value = own.y[point];
      if (!isShown(at, x.log) || !isShown(value, y.log)) continue;
      if (at < x.range[0] || at > x.range[1] || value < y.range[0] || value > y.range[1]) continue;
      const column = columnOf(x, plot, at);
      const row = rowOf(y, plot, value);
      const cell = row * grid.width + column;
      if ((owners.get(cell) ?? i) !== i) crowded.add(cell);
      owners.set(cell, i);
      grid.put(column, row, seriesMark(i), colors[i]);
    }
  return crowded.size;
}
