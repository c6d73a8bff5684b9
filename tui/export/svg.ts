import { heatBackground, heatMap, textWidth, type HeatMap } from '../../src/report/charts/index.js';
import { isShown, makeScale, type Scale } from '../../src/report/charts/scale.js';
import { measure, type Series } from '../../src/report/charts/series.js';
import { formatValue, tickLabels } from '../../src/report/charts/tick-labels.js';
import { wrapText } from '../../src/report/charts/text-width.js';
import { ticksOf } from '../../src/report/charts/ticks.js';
import { fonts } from '../../src/report/figures/fonts.js';
import { escapeXml } from '../../src/report/figures/xml.js';
import type { Figure, HeatFigure, LineFigure, ScatterFigure } from '../view/figure.js';

/** Size of a figure in pixels, without its legend. */
const size = { width: 820, height: 440, left: 80, right: 20, top: 34, bottom: 50 } as const;

/** A curve is drawn through this many points. */
const curvePoints = 200;

const colors = ['#1f6fb4', '#c4520a', '#1b7e55', '#b8439b', '#8a6410', '#6a5fb0', '#c6304a', '#137c8b'];

const colorOf = (series: number): string => colors[series % colors.length]!;

/** Dashes of the series, so that they are told apart without colour. */
const dashes = ['', '6,3', '2,3', '8,3,2,3'];

const dashOf = (series: number): string => dashes[series % dashes.length]!;

/** What stands below a figure and in its description, so that it can be read by itself. */
export interface Caption {
  /** What it answers, of which runs, and what its intervals are; broken into lines here. */
  readonly texts: readonly string[];
  /** The command that prints it. */
  readonly command: string;
}

/** A figure as SVG text. */
export function toSvg(figure: Figure, caption: Caption): string {
  return figure.kind === 'heat' ? heatSvg(figure, caption) : plotSvg(figure, caption);
}

function plotSvg(figure: LineFigure | ScatterFigure, caption: Caption): string {
  const { extents } = measure(
    figure.series,
    { logX: figure.logX, logY: figure.logY, xRange: null, yRange: null },
    figure.kind === 'line' ? figure.bands.flatMap(({ low, high }) => [low, high]) : [],
  );
  if (extents === null) return document(size.height, figure.title, caption, [text(size.left, 80, 'no data')]);
  const x = makeScale(extents.x, figure.logX);
  const y = makeScale(extents.y, figure.logY);
  const plot: Plot = {
    x,
    y,
    toX: (value) => size.left + x.toUnit(value) * (size.width - size.left - size.right),
    toY: (value) => size.top + (1 - y.toUnit(value)) * (size.height - size.top - size.bottom),
  };
  const marks = figure.series.flatMap((series, i) =>
    figure.kind === 'line' ? [band(series, i, plot), line(series, i, plot)] : points(series, i, plot),
  );
  const extra = figure.kind === 'line' ? lineExtras(figure, plot) : scatterExtras(figure, plot);
  const legend = legendOf(figure).flatMap(({ mark, name }, i) => {
    const at = size.height + legendHeight * i + 4;
    return [`<g transform="translate(${size.left} ${at - 4})">${mark}</g>`, text(size.left + 36, at, name)];
  });
  const height = size.height + legendHeight * legendOf(figure).length;
  return document(height, figure.title, caption, [...axes(figure, plot), ...extra, ...marks, ...legend]);
}

const legendHeight = 16;

/** What each mark stands for; marks are drawn around the origin, 28 wide. */
function legendOf(figure: LineFigure | ScatterFigure): { readonly mark: string; readonly name: string }[] {
  const series = figure.series.map(({ name }, i) => ({
    name,
    mark:
      figure.kind === 'scatter'
        ? pointMark(14, 0, i)
        : `<path d="M0,0h28" stroke="${colorOf(i)}" stroke-width="2" stroke-dasharray="${dashOf(i)}"/>`,
  }));
  const dashed = (dash: string) => `<path d="M0,0h28" stroke="#333" stroke-dasharray="${dash}"/>`;
  const compared =
    figure.kind === 'scatter'
      ? [...figure.curves.map(({ name }) => name), ...(figure.identity ? ['y = x'] : [])].map((name) => ({
          name,
          mark: dashed('4,3'),
        }))
      : figure.bands.map(({ label }) => ({ name: label, mark: dashed('2,2') }));
  return [...series, ...compared].filter(({ name }) => name !== '');
}

interface Plot {
  readonly x: Scale;
  readonly y: Scale;
  toX(value: number): number;
  toY(value: number): number;
}

function axes(
  { xLabel, yLabel }: { readonly xLabel: string; readonly yLabel: string },
  plot: Plot,
): string[] {
  const [right, bottom] = [size.width - size.right, size.height - size.bottom];
  const [xTicks, yTicks] = [ticksOf(plot.x, 8), ticksOf(plot.y, 6)];
  const [xLabels, yLabels] = [tickLabels(xTicks, plot.x.log), tickLabels(yTicks, plot.y.log)];
  return [
    ...yTicks.map((tick) => `<path d="M${size.left},${round(plot.toY(tick))}H${right}" stroke="#ddd"/>`),
    `<path d="M${size.left},${size.top}V${bottom}H${right}" fill="none" stroke="#333"/>`,
    ...xTicks.map((tick, i) => text(plot.toX(tick), bottom + 16, xLabels[i]!, 'middle')),
    ...yTicks.map((tick, i) => text(size.left - 6, plot.toY(tick) + 4, yLabels[i]!, 'end')),
    text((size.left + right) / 2, bottom + 36, xLabel, 'middle'),
    `<text transform="translate(16 ${(size.top + bottom) / 2}) rotate(-90)" text-anchor="middle">${escapeXml(yLabel)}</text>`,
  ];
}

function lineExtras({ markers, bands }: LineFigure, plot: Plot): string[] {
  return [
    ...markers.flatMap(({ x, label }) => [
      `<path d="M${round(plot.toX(x))},${size.top}V${size.height - size.bottom}" stroke="#777" stroke-dasharray="3,3"/>`,
      markerLabel(plot.toX(x), label),
    ]),
    ...bands.flatMap(({ low, high }) =>
      [low, high]
        .filter((edge) => isShown(edge, plot.y.log))
        .map(
          (edge) =>
            `<path d="M${size.left},${round(plot.toY(edge))}H${size.width - size.right}" stroke="#777" stroke-dasharray="2,2"/>`,
        ),
    ),
  ];
}

/** To the right of its line, or to the left where that would leave the figure. */
function markerLabel(x: number, label: string): string {
  const fits = x + 3 + widthOf(label) <= size.width - size.right;
  return text(fits ? x + 3 : x - 3, size.top + 10, label, fits ? 'start' : 'end');
}

/** Width of a text, at least about what a sans-serif font of this size takes. */
const widthOf = (content: string): number => 6.6 * textWidth(content);

function scatterExtras({ curves, identity }: ScatterFigure, plot: Plot): string[] {
  const all = [...curves, ...(identity ? [{ name: 'y = x', y: (x: number) => x }] : [])];
  return all.map((curve) => {
    const xs = Array.from({ length: curvePoints }, (_, i) => plot.x.fromUnit(i / (curvePoints - 1)));
    const path = pathOf(
      xs,
      xs.map((x) => curve.y(x)),
      plot,
      (y) => y >= plot.y.range[0] && y <= plot.y.range[1],
    );
    return `<path d="${path}" fill="none" stroke="#333" stroke-dasharray="4,3"><title>${escapeXml(curve.name)}</title></path>`;
  });
}

function line({ x, y }: Series, series: number, plot: Plot): string {
  const path = pathOf(x, y, plot, () => true);
  return `<path d="${path}" fill="none" stroke="${colorOf(series)}" stroke-width="1.5" stroke-dasharray="${dashOf(series)}"/>`;
}

/** A path through the points that can be shown; the others interrupt it. */
function pathOf(
  x: ArrayLike<number>,
  y: ArrayLike<number | null>,
  plot: Plot,
  keep: (y: number) => boolean,
): string {
  const parts: string[] = [];
  let isDrawn = false;
  for (let i = 0; i < x.length; i++) {
    const value = y[i];
    if (!isShown(x[i], plot.x.log) || !isShown(value, plot.y.log) || !keep(value)) {
      isDrawn = false;
      continue;
    }
    parts.push(`${isDrawn ? 'L' : 'M'}${round(plot.toX(x[i]!))},${round(plot.toY(value))}`);
    isDrawn = true;
  }
  return parts.join('');
}

function band({ x, low, high }: Series, series: number, plot: Plot): string {
  if (low === undefined || high === undefined) return '';
  const [upper, lower]: [string[], string[]] = [[], []];
  for (let i = 0; i < x.length; i++) {
    const [from, to] = [low[i], high[i]];
    if (!isShown(x[i], plot.x.log) || !isShown(from, plot.y.log) || !isShown(to, plot.y.log)) continue;
    const at = round(plot.toX(x[i]!));
    upper.push(`${at},${round(plot.toY(to))}`);
    lower.push(`${at},${round(plot.toY(from))}`);
  }
  const outline = [...upper, ...lower.toReversed()].join(' ');
  return `<polygon points="${outline}" fill="${colorOf(series)}" fill-opacity="0.15"/>`;
}

function points({ x, y }: Series, series: number, plot: Plot): string[] {
  return Array.from({ length: x.length }, (_, i) => {
    const value = y[i];
    const at = x[i];
    if (!isShown(at, plot.x.log) || !isShown(value, plot.y.log)) return '';
    const [cx, cy] = [round(plot.toX(at)), round(plot.toY(value))];
    return pointMark(cx, cy, series);
  });
}

const pointMark = (x: number, y: number, series: number): string =>
  series % 2 === 0
    ? `<circle cx="${x}" cy="${y}" r="3" fill="none" stroke="${colorOf(series)}"/>`
    : `<path d="M${x - 3},${y - 3}l6,6m0,-6l-6,6" stroke="${colorOf(series)}"/>`;

function heatSvg(figure: HeatFigure, caption: Caption): string {
  const map = heatMap(figure);
  const left = Math.min(420, 12 + Math.max(60, ...figure.rowLabels.map(widthOf)));
  const columns = Math.max(1, figure.columnLabels.length);
  const cell = {
    width: Math.max(4, Math.min(90, (size.width - size.right - left) / columns)),
    height: 16,
  };
  const cells = map.cells.flatMap((row, i) => [
    text(left - 6, size.top + 12 + i * cell.height, figure.rowLabels[i]!, 'end'),
    ...row.map(({ value, level }, j) => {
      const at = `x="${round(left + j * cell.width)}" y="${size.top + i * cell.height}"`;
      if (value === null || level === null) return '';
      const fill = xterm(heatBackground(level, map.scale));
      const title = `${figure.rowLabels[i]}, ${figure.columnTitle} ${figure.columnLabels[j]}: ${formatValue(value)}`;
      return `<rect ${at} width="${round(cell.width)}" height="${cell.height}" fill="${fill}"><title>${escapeXml(title)}</title></rect>`;
    }),
  ]);
  const bottom = size.top + map.cells.length * cell.height;
  // As many labels as keep apart.
  const widest = Math.max(0, ...figure.columnLabels.map(widthOf)) + 6;
  const every = Math.max(1, Math.ceil(widest / cell.width));
  const labels = figure.columnLabels.flatMap((label, j) =>
    j % every === 0 ? [text(left + (j + 0.5) * cell.width, bottom + 14, label, 'middle')] : [],
  );
  const middle = left + (columns * cell.width) / 2;
  const axis = text(middle, bottom + 32, figure.columnTitle, 'middle');
  const bar = colorBar(map, figure.unit, left, bottom + 46);
  return document(bottom + 90, figure.title, caption, [...cells, ...labels, axis, ...bar]);
}

/** The colours of a heat map's values, with the ends and 0 written below them. */
function colorBar({ scale, range }: HeatMap, unit: string, left: number, top: number): string[] {
  const [steps, width, height] = [60, 300, 12];
  const [low, high] = range;
  const levelOf = (share: number): number => (scale === 'diverging' ? 2 * share - 1 : share);
  const boxes = Array.from({ length: steps }, (_, i) => {
    const fill = xterm(heatBackground(levelOf(i / (steps - 1)), scale));
    return `<rect class="bar" x="${round(left + (i * width) / steps)}" y="${top}" width="${round(width / steps + 0.5)}" height="${height}" fill="${fill}"/>`;
  });
  const marks = [low, (low + high) / 2, high].map((value, i) =>
    text(
      left + (i * width) / 2,
      top + height + 14,
      formatValue(value),
      i === 0 ? 'start' : i === 1 ? 'middle' : 'end',
    ),
  );
  return [...boxes, ...marks, text(left + width + 12, top + height - 2, unit === '1' ? '' : unit)];
}

/** The colour of a code of the 256-colour table: of its 6 x 6 x 6 cube, or grey. */
function xterm(code: number): string {
  const hex = (value: number): string => value.toString(16).padStart(2, '0');
  if (code >= 232) return `#${hex(8 + 10 * (code - 232)).repeat(3)}`;
  const level = (own: number): string => hex(own === 0 ? 0 : 55 + 40 * own);
  const place = code - 16;
  return `#${level(Math.floor(place / 36))}${level(Math.floor(place / 6) % 6)}${level(place % 6)}`;
}

/** A picture of a height, with its title above it and its caption below. */
function document(height: number, title: string, caption: Caption, body: readonly string[]): string {
  const lines = caption.texts.flatMap((own) => wrapText(own, captionColumns, '…'));
  const all = height + 8 + captionHeight * lines.length + 8;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${size.width}" height="${all}" viewBox="0 0 ${size.width} ${all}" font-family="${fonts.sans}" font-size="12">`,
    `<desc>${escapeXml(caption.command)}</desc>`,
    `<rect width="${size.width}" height="${all}" fill="white"/>`,
    `<text x="${size.left}" y="18" font-size="14" font-weight="bold">${escapeXml(title)}</text>`,
    ...body.filter((own) => own !== ''),
    ...lines.map((line, i) => text(12, height + 8 + captionHeight * (i + 0.7), line, 'start', 11)),
    '</svg>',
    '',
  ].join('\n');
}

const captionHeight = 15;
/** Columns of a caption: what surely fits beside the margins in its font. */
const captionColumns = 122;

function text(
  x: number,
  y: number,
  content: string,
  anchor: 'start' | 'middle' | 'end' = 'start',
  fontSize: number | null = null,
): string {
  const font = fontSize === null ? '' : ` font-size="${fontSize}"`;
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}"${font}>${escapeXml(content)}</text>`;
}

const round = (value: number): number => Math.round(value * 100) / 100;
