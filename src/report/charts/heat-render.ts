import { glyphs } from './glyphs.js';
import { heatBackground, heatCharacter, heatForeground, heatSign } from './heat-colors.js';
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
 * A heat map as lines without escapes: the size of a level as one of ' .:-=+*#%@', on a diverging scale with its
 * sign in front, `?` without a value; then what the characters and numbers stand for.
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
  const { cellWidth, shown, header, rowLabels, notes } = layOutHeat(map, width, ascii);
  const draw = colored ? coloredCell : plainCell;
  const rows = map.cells.map((row, i) => {
    const cells = row.slice(0, shown).map((cell) => draw(cell, map, cellWidth));
    return `${rowLabels[i]}${cells.join('')}`.trimEnd();
  });
  const key = wrapText(keyOf(map, colored), width, glyphs(ascii).ellipsis);
  return [header, ...rows, ...key, ...notes];
}

function plainCell({ level }: HeatCell, { scale }: HeatMap, width: number): string {
  // A blank between cells where there is room for it.
  const room = width > 2 ? width - 1 : width;
  if (level === null) return missing.padEnd(width);
  const sign = scale === 'diverging' ? heatSign(level) : '';
  return `${sign}${heatCharacter(level).repeat(room - sign.length)}`.padEnd(width);
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
  const ends = colored
    ? scale === 'diverging'
      ? `blue ${low}, white 0, orange ${high}`
      : `light ${low}, dark ${high}`
    : scale === 'diverging'
      ? `-@ ${low}, blank 0, +@ ${high}`
      : `blank ${low}, @ ${high}`;
  return `${ends}, ${missing} no value`;
}
