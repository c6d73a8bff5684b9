import { meanOverSeeds } from '../../src/analysis/inference/seeds/mean.js';
import { formatNumber } from '../../src/report/text/numbers.js';
import { drawFigure, figureSlice, type HeatFigure } from './figure.js';
import { selectedPlace } from './draw-list.js';
import { abbreviate, cutLines } from './layout.js';
import { wrapped, type Picture } from './picture.js';
import type { ViewState } from './state.js';
import { paint, signs, type Box, type Style } from './style.js';

export interface HeatPanelOptions {
  readonly title: string;
  readonly rowTitle: string;
  readonly columnTitle: string;
  readonly rows: readonly string[];
  readonly columns: readonly string[];
  readonly unit: string;
  /** One finite value per run; their mean is the cell. */
  readonly samples: (row: number, column: number) => readonly number[];
  readonly over: string;
  readonly nullName: string;
  readonly state: ViewState;
  readonly box: Box;
  readonly style: Style;
}

/** A heat map with a selected cell, whose number is written out with its interval. */
export function drawHeatPanel(options: HeatPanelOptions): Picture {
  const { title, rows, columns, samples, state, box, style } = options;
  const row = selectedPlace(state.row, rows.length);
  const column = selectedPlace(state.column === 0 ? Infinity : state.column - 1, columns.length);
  const mean = (own: readonly number[]): number | null =>
    own.length === 0 ? null : own.reduce((sum, value) => sum + value, 0) / own.length;
  const values = rows.map((_, i) => columns.map((_, j) => mean(samples(i, j))));
  const sign = signs(style);
  const readout = wrapped(cellLine(), box.width);
  const room = Math.max(1, box.height - readout.length);
  const whole: HeatFigure = {
    kind: 'heat',
    title,
    note: `cells: mean over ${Math.max(0, ...rows.flatMap((_, i) => columns.map((__, j) => samples(i, j).length)))} ${options.over}; null 0: ${options.nullName}`,
    values,
    rowLabels: rows,
    columnLabels: columns,
    rowTitle: options.rowTitle,
    columnTitle: options.columnTitle,
    scale: 'diverging',
    unit: options.unit,
  };
  const width = Math.floor(box.width / 3) - 2;
  const drawRows = (page: number): string[] => {
    const top = Math.max(0, Math.min(row - (page >> 1), rows.length - page));
    const shown: HeatFigure = {
      ...whole,
      values: values.slice(top, top + page),
      rowLabels: rows
        .slice(top, top + page)
        .map((label, i) => `${top + i === row ? sign.cursor : ' '} ${abbreviate(label, width, sign.more)}`),
      range: extent(values),
    };
    return drawFigure(shown, { width: box.width, height: Infinity }, state, style);
  };
  // As many rows as fit: keys, notes and, in numbers, further blocks of columns take lines too.
  let page = Math.max(1, Math.min(rows.length, room));
  let map = drawRows(page);
  while (map.length > room && page > 1) map = drawRows(--page);
  return {
    lines: [
      ...cutLines(map, room, style, readout.length),
      ...readout.map((line) => paint(line, 'bold', style)),
    ],
    list: {
      length: rows.length,
      page,
      row,
      id: null,
      columns,
      column,
      numeric: columns.map(() => true),
      placeOf: null,
    },
    axis: null,
    figure: whole,
    slice: () => figureSlice(whole),
  };

  function cellLine(): string {
    const own = samples(row, column);
    const name = `${rows[row] ?? ''}, ${options.columnTitle} ${columns[column] ?? ''}`;
    if (own.length === 0) return `${name}: no value`;
    const estimate = meanOverSeeds(own);
    if (estimate.kind === 'absent') return `${name}: ${estimate.reason}`;
    const interval =
      estimate.interval === null
        ? `no interval (${estimate.missing})`
        : `[${estimate.interval.map((end) => formatNumber(end, true)).join(', ')}] over ${own.length} ${options.over}`;
    return `${name}: ${formatNumber(estimate.estimate, true)} ${interval}; null 0: ${options.nullName}`;
  }
}

/** The ends of all values, so that scrolling does not change colours. */
function extent(values: readonly (readonly (number | null)[])[]): readonly [number, number] | undefined {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values.flat()) {
    if (value === null || !Number.isFinite(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return low < high ? [low, high] : undefined;
}
