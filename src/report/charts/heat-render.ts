import { glyphs } from './glyphs.js';
import { heatBackground, heatForeground } from './heat-colors.js';
import { layOutHeat } from './heat-layout.js';
import type { HeatCell, HeatMap } from './heat-map.js';
import { wrapText } from './text-width.js';
import { formatValue } from './tick-labels.js';

export interface HeatRenderOptions {
  /** Columns, at least 20. */
  readonly width: number;
  /** ASCII characters only. */
  readonly ascii?: boolean | undefined;
}

const missing = '?';
/** Cells from this width on hold their value where the background shows the level. */
const leastForValue = 6;

/**
 * A heat map as lines without escapes: the values in numbers, `?` without one, in several blocks where they do not fit beside
 * each other; then what the numbers of columns stand for.
 *
 * @throws RangeError if `width` is below 20
 */
export function renderHeatPlain(map: HeatMap, { width, ascii = false }: HeatRenderOptions): string[] {
  return render(map, width, ascii, false);
}

/**
 * A heat map as lines with backgrounds of the 256-colour table, and the values in the cells where there is room.
 *
 * @throws RangeError if `width` is below 20
 */
export function renderHeatAnsi(map: HeatMap, { width, ascii = false }: HeatRenderOptions): string[] {
  return render(map, width, ascii, true);
}

function render(map: HeatMap, width: number, ascii: boolean, colored: boolean): string[] {
  if (map.cells.length === 0 || map.columnLabels.length === 0) return ['no data'];
  const { cellWidth, blocks, rowLabels, notes } = layOutHeat(map, width, ascii, !colored);
  const draw = colored ? coloredCell : plainCell;
  const rows = blocks.flatMap(({ from, to, header }) => [
    header,
    ...map.cells.map((row, i) => {
      const cells = row.slice(from, to).map((cell) => draw(cell, map, cellWidth));
      return `${rowLabels[i]}${cells.join('')}`.trimEnd();
    }),
  ]);
  const key = wrapText(keyOf(map, colored), width, glyphs(ascii).ellipsis);
  return [...rows, ...key, ...notes];
}

function plainCell({ value }: HeatCell, { scale }: HeatMap, width: number): string {
  if (value === null) return missing.padEnd(width);
  // Numbers of both signs stand below each other.
  const sign = scale === 'diverging' && value >= 0 ? ' ' : '';
  const text = shortValue(value, width - 1 - sign.length);
  // Too small for the digits that there is room for.
  return `${sign}${text === '' ? '~0' : text}`.padEnd(width).slice(0, width);
}

function coloredCell({ level, value }: HeatCell, { scale }: HeatMap, width: number): string {
  if (level === null || value === null) return missing.padEnd(width);
  const background = heatBackground(level, scale);
  const text = width >= leastForValue ? shortValue(value, width - 1) : '';
  const colors = `\u001B[48;5;${background};38;5;${heatForeground(background)}m`;
  return `${colors}${text.padStart(width - 1).padEnd(width)}\u001B[39;49m`;
}

/** A value with three digits, or as many as fit into `width` characters; nothing if not even one does. */
function shortValue(value: number, width: number): string {
  for (let digits = 3; digits > 0; digits--) {
    const text = formatValue(Number(value.toPrecision(digits)));
    if (text.length <= width) return text;
  }
  return '';
}

function keyOf({ scale, range }: HeatMap, colored: boolean): string {
  const [low, high] = range.map((end) => formatValue(end));
  const ends = !colored
    ? `from ${low} to ${high}`
    : scale === 'diverging'
      ? `blue ${low}, white 0, orange ${high}`
      : `light ${low}, dark ${high}`;
  return `${ends}, ${missing} no value`;
}
