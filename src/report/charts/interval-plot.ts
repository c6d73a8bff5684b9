import { CellGrid } from './cell-grid.js';
import { type Chart, checkSize } from './chart.js';
import { glyphs } from './glyphs.js';
import { noDataRows } from './no-data.js';
import { columnOf, type Plot } from './plot-area.js';
import { checkRange, isShown, makeScale, type Range, type Scale, widenRange } from './scale.js';
import { fitText, textWidth } from './text-width.js';
import { formatValue } from './tick-labels.js';
import { drawXAxis } from './x-axis.js';

export interface IntervalRow {
  readonly label: string;
  /** Null where there is none; the row then says `none`. */
  readonly estimate: number | null;
  /** Infinite ends, and ends outside the range, are drawn as arrows at the edge. */
  readonly interval: Range | null;
  /** What the estimate is compared with, a cross where the interval holds it; `nullValue` of the plot by default. */
  readonly nullValue?: number | null | undefined;
  readonly color?: number | undefined;
}

export interface IntervalPlotOptions {
  readonly rows: readonly IntervalRow[];
  /** Columns, at least 20. */
  readonly width: number;
  readonly xLabel?: string | undefined;
  /** The null point of rows without their own; 0 by default, null for none. */
  readonly nullValue?: number | null | undefined;
  readonly log?: boolean | undefined;
  readonly xRange?: Range | undefined;
  /** Draws with ASCII characters only. */
  readonly ascii?: boolean | undefined;
}

/** Narrower than this, the axis is worth more than the numbers beside it. */
const leastPlot = 16;

/**
 * A forest plot: in each row a label, the estimate in its interval on a common axis with the null point, and where
 * there is room both in numbers. As high as there are rows, and two more for the axis.
 *
 * @throws RangeError if the plot is narrower than 20 columns, or if `xRange` is not in order (on a log axis: not
 *   positive)
 */
export function intervalPlot(options: IntervalPlotOptions): Chart {
  const { rows, width, log = false, ascii = false, nullValue = log ? 1 : 0 } = options;
  checkSize(width);
  if (options.xRange !== undefined) checkRange(options.xRange, log, 'x');
  const signs = glyphs(ascii);
  const nulls = rows.map((row) => (row.nullValue === undefined ? nullValue : row.nullValue));
  const values = rows.flatMap(({ estimate, interval }, i) => [estimate, ...(interval ?? []), nulls[i]!]);
  const shown = values.filter((value) => isShown(value, log));
  const isEmpty = rows.every(({ estimate }) => !isShown(estimate, log));
  if (isEmpty)
    return {
      width,
      rows: noDataRows(width, Math.max(4, rows.length + 2)),
      legend: [],
      notes: [],
      readout: null,
    };

  const least = shown.reduce((low, value) => Math.min(low, value), Infinity);
  const most = shown.reduce((high, value) => Math.max(high, value), -Infinity);
  const scale = makeScale(options.xRange ?? widenRange(least, most, log), log);
  const numbers = rows.map((row) => describe(row));
  const labelWidth = Math.min(
    Math.max(1, ...rows.map(({ label }) => textWidth(label))),
    Math.floor(width / 3),
  );
  const numbersWidth = Math.max(...numbers.map((text) => text.length)) + 2;
  const hasNumbers = width - labelWidth - 1 - numbersWidth >= leastPlot;
  const plot: Plot = {
    column: labelWidth + 1,
    row: 0,
    width: width - labelWidth - 1 - (hasNumbers ? numbersWidth : 0),
    height: rows.length,
  };
  const grid = new CellGrid(width, rows.length + 2);
  for (const [i, row] of rows.entries()) {
    grid.write(0, i, fitText(row.label, labelWidth, signs.ellipsis), signs.ellipsis);
    const nullColumn = isShown(nulls[i], log) ? columnOf(scale, plot, nulls[i]) : null;
    if (nullColumn !== null) putInside(grid, plot, nullColumn, i, signs.marker, null);
    drawInterval(grid, plot, scale, row, i, nullColumn, ascii);
    if (hasNumbers) grid.write(plot.column + plot.width + 2, i, numbers[i]!, signs.ellipsis);
  }
  drawXAxis(grid, scale, plot, options.xLabel ?? '', signs);
  return { width, rows: grid.toRows(), legend: [], notes: [], readout: null };
}

function describe({ estimate, interval }: IntervalRow): string {
  if (estimate === null || !Number.isFinite(estimate)) return 'none';
  if (interval === null) return formatValue(estimate);
  return `${formatValue(estimate)} [${interval.map((end) => formatEnd(end)).join(', ')}]`;
}

const formatEnd = (end: number): string =>
  Number.isFinite(end) ? formatValue(end) : end < 0 ? '-inf' : end > 0 ? 'inf' : 'none';

function drawInterval(
  grid: CellGrid,
  plot: Plot,
  scale: Scale,
  { estimate, interval, color = 0 }: IntervalRow,
  row: number,
  nullColumn: number | null,
  ascii: boolean,
): void {
  if (!isShown(estimate, scale.log)) return;
  const last = plot.column + plot.width - 1;
  if (interval !== null && !interval.some(Number.isNaN)) {
    const [from, to] = interval.map((end) => columnOf(scale, plot, end));
    const [isCutLeft, isCutRight] = [from! < plot.column, to! > last];
    const [left, right] = [Math.max(plot.column, from!), Math.min(last, to!)];
    const line = ascii ? '-' : '─';
    for (let column = left; column <= right; column++) grid.put(column, row, line, color);
    if (nullColumn !== null && nullColumn > left && nullColumn < right)
      putInside(grid, plot, nullColumn, row, ascii ? '+' : '┼', color);
    putInside(grid, plot, left, row, isCutLeft ? (ascii ? '<' : '◄') : ascii ? '|' : '├', color);
    putInside(grid, plot, right, row, isCutRight ? (ascii ? '>' : '►') : ascii ? '|' : '┤', color);
  }
  putInside(grid, plot, columnOf(scale, plot, estimate), row, ascii ? 'o' : '●', color);
}

function putInside(
  grid: CellGrid,
  { column, width }: Plot,
  at: number,
  row: number,
  text: string,
  color: number | null,
): void {
  if (at >= column && at < column + width) grid.put(at, row, text, color);
}
