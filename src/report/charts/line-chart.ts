import { BrailleCanvas } from './braille-canvas.js';
import { type Chart, checkSize } from './chart.js';
import { drawAcross, drawBand } from './draw-band.js';
import { drawLine } from './draw-line.js';
import { drawPlotFrame } from './frame.js';
import { glyphs, seriesLetter } from './glyphs.js';
import { type LegendEntry, legendRows } from './legend.js';
import type { Marker } from './markers.js';
import { noDataRows } from './no-data.js';
import { drawVertical, paintLines } from './paint.js';
import { columnOf } from './plot-area.js';
import type { PlotOptions } from './plot-options.js';
import { readAt } from './readout.js';
import { checkSeries, measure, omissionNotes } from './series.js';
import { wrapText } from './text-width.js';
import { formatValue } from './tick-labels.js';

/** A range of y to compare lines with, e.g. what a null gives; drawn as its two dotted ends. */
export interface ReferenceBand {
  readonly low: number;
  readonly high: number;
  readonly label: string;
}

export interface LineChartOptions extends PlotOptions {
  readonly bands?: readonly ReferenceBand[] | undefined;
  readonly markers?: readonly Marker[] | undefined;
  /** A value of x at which to read off the series. */
  readonly cursor?: number | undefined;
}

/**
 * Series as lines of braille dots with axes, in `height` rows of at most `width` columns, and a legend. A sample
 * that stands out from millions stays visible; null, NaN and infinite values are gaps; values that are not positive
 * on a log axis too, and a note counts them. With several series letters on the lines tell them apart.
 *
 * @throws RangeError if the chart is smaller than 20 x 4, if columns of a series differ in length, or if a range is
 *   not in order (on a log axis: not positive)
 */
export function lineChart(options: LineChartOptions): Chart {
  const { series, width, height, cursor, bands = [], ascii = false } = options;
  checkSize(width, height);
  const axes = {
    logX: options.logX ?? false,
    logY: options.logY ?? false,
    xRange: options.xRange ?? null,
    yRange: options.yRange ?? null,
  };
  checkSeries(series, axes);
  const signs = glyphs(ascii);
  const edges = bands.flatMap(({ low, high }) => [low, high]);
  const { extents, omitted } = measure(series, axes, edges);
  const omissions = omissionNotes(series, omitted);
  if (extents === null)
    return {
      width,
      rows: noDataRows(width, height),
      legend: [],
      notes: omissions.flatMap((note) => wrapText(note, width, signs.ellipsis)),
      readout: null,
    };

  const markers = options.markers ?? [];
  const frame = drawPlotFrame({
    width,
    height,
    xLabel: options.xLabel ?? '',
    yLabel: options.yLabel ?? '',
    x: { range: extents.x, log: axes.logX },
    y: { range: extents.y, log: axes.logY },
    markers,
    ascii,
  });
  const { x, y, plot } = frame;
  const lines = new BrailleCanvas(plot.width, plot.height);
  const shades = new BrailleCanvas(plot.width, plot.height);
  const below = { x, y, canvas: shades };
  if (!axes.logY && extents.y[0] <= 0 && extents.y[1] >= 0) drawAcross(below, 0, 4);
  for (const [i, own] of series.entries()) drawBand(below, own, i);
  for (const edge of edges) if (!axes.logY || edge > 0) drawAcross(below, edge, 3);
  for (const [i, own] of series.entries()) drawLine({ x, y, canvas: lines }, own.x, own.y, i);

  const colors = series.map(({ color }, i) => color ?? i);
  paintLines(frame, lines, shades, colors, ascii);
  for (const marker of markers) drawVertical(frame, lines, columnOf(x, plot, marker.x), signs.marker);
  const isRead = cursor !== undefined && cursor >= extents.x[0] && cursor <= extents.x[1];
  if (isRead) drawVertical(frame, lines, columnOf(x, plot, cursor), signs.cursor);

  const readout = isRead ? readAt(series, cursor) : null;
  return {
    width,
    rows: frame.grid.toRows(),
    legend: legendRows(legend(), width, signs.ellipsis),
    notes: [...frame.notes, ...omissions].flatMap((note) => wrapText(note, width, signs.ellipsis)),
    readout,
  };

  function legend(): LegendEntry[] {
    const at: LegendEntry[] =
      readout === null
        ? []
        : [{ mark: '', name: `at ${options.xLabel || 'x'} ${formatValue(readout.x)}:`, color: null }];
    const named = series.flatMap(({ name }, i): LegendEntry[] => {
      if (series.length === 1 && name === '' && readout === null) return [];
      const letter = series.length === 1 ? (ascii ? '*' : signs.line) : seriesLetter(i);
      const sample = readout?.values[i]?.sample;
      const value = readout === null ? undefined : sample ? formatValue(sample.y) : 'none';
      return [{ mark: `${signs.line}${letter}${signs.line}`, name, value, color: colors[i]! }];
    });
    const compared = bands.map(({ label }): LegendEntry => {
      return { mark: signs.reference.repeat(3), name: label, color: null };
    });
    return [...at, ...named, ...compared];
  }
}
