import {
  cutSeries,
  decimate,
  formatValue,
  heatMap,
  lineChart,
  renderAnsi,
  renderHeatAnsi,
  renderHeatPlain,
  renderPlain,
  scatterChart,
  tooNarrow,
  type Chart,
  type Curve,
  type HeatScale,
  type Marker,
  type Range,
  type ReferenceBand,
  type Series,
} from '../../src/report/charts/index.js';
import { wrapped } from './picture.js';
import { numbers, texts, type Slice } from '../../src/report/slice/slice.js';
import type { ViewState } from './state.js';
import type { Box, Style } from './style.js';
import { cutLines } from './layout.js';

/** Curves over x, ascending. */
export interface LineFigure {
  readonly kind: 'line';
  readonly title: string;
  /** What points, lines and bands are: over how many seeds, which interval. */
  readonly note?: string | undefined;
  readonly series: readonly Series[];
  readonly xLabel: string;
  readonly yLabel: string;
  readonly logX: boolean;
  readonly logY: boolean;
  readonly bands: readonly ReferenceBand[];
  readonly markers: readonly Marker[];
}

/** Points, and curves to compare them with. */
export interface ScatterFigure {
  readonly kind: 'scatter';
  readonly title: string;
  /** What points, lines and bands are: over how many seeds, which interval. */
  readonly note?: string | undefined;
  readonly series: readonly Series[];
  readonly curves: readonly Curve[];
  readonly identity: boolean;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly logX: boolean;
  readonly logY: boolean;
}

/** A matrix of values. */
export interface HeatFigure {
  readonly kind: 'heat';
  readonly title: string;
  /** What a cell is: over how many seeds. */
  readonly note?: string | undefined;
  /** `[row][column]` */
  readonly values: readonly (readonly (number | null)[])[];
  readonly rowLabels: readonly string[];
  readonly columnLabels: readonly string[];
  readonly rowTitle: string;
  readonly columnTitle: string;
  readonly scale: HeatScale;
  readonly unit: string;
  /** Ends of the scale; those of the values where there are none. */
  readonly range?: Range | undefined;
}

export type Figure = LineFigure | ScatterFigure | HeatFigure;

/** Points of a curve for each column of the screen: more than dots, so that zooming out loses nothing. */
const bucketsPerColumn = 4;

/** A figure in a box: with its legend at most as high. */
export function drawFigure(figure: Figure, box: Box, state: ViewState, style: Style): string[] {
  if (style.screenReader) return describeFigure(figure, state).flatMap((line) => wrapped(line, box.width));
  const { width } = box;
  const narrow = tooNarrow(width);
  if (narrow !== null) return [narrow.slice(0, width)];
  if (figure.kind === 'heat') return drawHeat(figure, width, box.height, style);
  const make = (height: number): Chart =>
    figure.kind === 'line'
      ? lineOf(figure, width, height, state, style)
      : scatterOf(figure, width, height, state, style);
  // The legend's height depends on the names: drawn once to see it.
  let chart = make(Math.max(4, box.height - 1));
  const extra = chart.legend.length + chart.notes.length;
  if (extra !== 1) chart = make(Math.max(4, box.height - extra));
  return (style.colour ? renderAnsi(chart) : renderPlain(chart)).slice(0, box.height);
}

function lineOf(figure: LineFigure, width: number, height: number, state: ViewState, style: Style): Chart {
  const { zoom, cursor } = state;
  const series = figure.series.map((own) =>
    decimate(cutSeries(own, zoom), bucketsPerColumn * Math.max(width, 1)),
  );
  const chart = lineChart({
    series,
    width,
    height,
    xLabel: figure.xLabel,
    yLabel: figure.yLabel,
    logX: figure.logX,
    logY: figure.logY,
    bands: figure.bands,
    markers: figure.markers.filter(({ x }) => zoom === null || (x >= zoom[0] && x <= zoom[1])),
    ascii: style.ascii,
    ...(zoom === null ? {} : { xRange: zoom }),
    ...(cursor === null ? {} : { cursor }),
  });
  return chart;
}

function scatterOf(
  figure: ScatterFigure,
  width: number,
  height: number,
  state: ViewState,
  style: Style,
): Chart {
  return scatterChart({
    series: figure.series,
    curves: figure.curves,
    identity: figure.identity,
    width,
    height,
    xLabel: figure.xLabel,
    yLabel: figure.yLabel,
    logX: figure.logX,
    logY: figure.logY,
    ascii: style.ascii,
    ...(state.zoom === null ? {} : { xRange: state.zoom }),
  });
}

function drawHeat(figure: HeatFigure, width: number, height: number, style: Style): string[] {
  const map = heatMap(figure);
  const options = { width, ascii: style.ascii };
  const lines = style.colour ? renderHeatAnsi(map, options) : renderHeatPlain(map, options);
  return [...cutLines(lines, height, style)];
}

/** The range of x that a figure with an x axis spans. */
export function axisOf(figure: LineFigure | ScatterFigure, width: number) {
  let [low, high] = [Infinity, -Infinity];
  for (const { x, y } of figure.series) {
    for (let i = 0; i < x.length; i++) {
      const at = x[i]!;
      const value = y[i];
      if (!Number.isFinite(at) || value === null || value === undefined || (figure.logX && at <= 0)) continue;
      low = Math.min(low, at);
      high = Math.max(high, at);
    }
  }
  if (!(low < high)) return null;
  const range: Range = [low, high];
  return { range, log: figure.logX, columns: Math.max(10, width - 10) };
}

/** What a figure shows in sentences, for readers who see no chart. */
function describeFigure(figure: Figure, { cursor }: ViewState): string[] {
  if (figure.kind === 'heat') {
    return [
      `${figure.title}, rows ${figure.rowTitle}, columns ${figure.columnTitle}.`,
      ...figure.values.map((row, i) => {
        const cells = row.map(
          (value, j) => `${figure.columnLabels[j]} ${value === null ? 'no value' : formatValue(value)}`,
        );
        return `${figure.rowLabels[i]}: ${cells.join(', ')}.`;
      }),
    ];
  }
  return [
    `${figure.title}: ${figure.yLabel} over ${figure.xLabel}.`,
    ...figure.series.map((own) => describeSeries(own, figure.xLabel, cursor)),
  ];
}

function describeSeries({ name, x, y }: Series, xLabel: string, cursor: number | null): string {
  const points = Array.from({ length: x.length }, (_, i) => ({ x: x[i]!, y: y[i] })).filter(
    (point): point is { x: number; y: number } => typeof point.y === 'number' && Number.isFinite(point.y),
  );
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined) return `${name}: no values.`;
  const least = points.reduce((a, b) => (b.y < a.y ? b : a));
  const most = points.reduce((a, b) => (b.y > a.y ? b : a));
  const say = (point: { x: number; y: number }): string =>
    `${formatValue(point.y)} at ${xLabel} ${formatValue(point.x)}`;
  const at =
    cursor === null
      ? ''
      : `, at the cursor ${say(points.reduce((a, b) => (Math.abs(b.x - cursor) < Math.abs(a.x - cursor) ? b : a)))}`;
  return `${name}: first ${say(first)}, lowest ${say(least)}, highest ${say(most)}, last ${say(last)}${at}.`;
}

/** The numbers of a figure as a table. */
export function figureSlice(figure: Figure): Slice {
  if (figure.kind === 'heat') {
    return {
      columns: [
        texts(figure.rowTitle, figure.rowLabels),
        ...figure.columnLabels.map((label, column) =>
          numbers(
            `${figure.columnTitle} ${label}`,
            figure.unit,
            figure.values.map((row) => row[column] ?? null),
          ),
        ),
      ],
    };
  }
  const rows = figure.series.flatMap(({ name, x, y, low, high }) =>
    Array.from({ length: x.length }, (_, i) => ({
      name,
      x: x[i]!,
      y: finite(y[i]),
      low: finite(low?.[i]),
      high: finite(high?.[i]),
    })),
  );
  const hasBand = rows.some(({ low }) => low !== null);
  return {
    columns: [
      texts(
        'series',
        rows.map(({ name }) => name),
      ),
      numbers(
        figure.xLabel,
        '1',
        rows.map(({ x }) => x),
      ),
      numbers(
        figure.yLabel,
        '1',
        rows.map(({ y }) => y),
      ),
      ...(hasBand
        ? [
            numbers(
              'low',
              '1',
              rows.map(({ low }) => low),
            ),
            numbers(
              'high',
              '1',
              rows.map(({ high }) => high),
            ),
          ]
        : []),
    ],
  };
}

const finite = (value: number | null | undefined): number | null =>
  typeof value === 'number' && Number.isFinite(value) ? value : null;
