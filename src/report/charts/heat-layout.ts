import { checkSize } from './chart.js';
import { glyphs } from './glyphs.js';
import type { HeatMap } from './heat-map.js';
import { fitText, textWidth, wrapText } from './text-width.js';

/** Where the labels and cells of a heat map go. */
export interface HeatLayout {
  /** Columns of each cell. */
  readonly cellWidth: number;
  /** How many columns of the matrix there is room for. */
  readonly shown: number;
  readonly header: string;
  /** Labels of rows, all of the same width, with the blank that follows. */
  readonly rowLabels: readonly string[];
  /** What the numbers in the header stand for, and what is left out. */
  readonly notes: readonly string[];
}

const narrowest = 2;
const widest = 8;

/**
 * Fits a heat map into `width` columns. Labels of columns that are too long for them become numbers with a key.
 *
 * @throws RangeError if `width` is below 20
 */
export function layOutHeat(map: HeatMap, width: number, ascii: boolean): HeatLayout {
  checkSize(width);
  const { ellipsis } = glyphs(ascii);
  const { columnLabels: labels } = map;
  const gutter = Math.min(Math.max(0, ...map.rowLabels.map(textWidth)), Math.floor(width / 3));
  const room = width - gutter - 1;
  const shown = Math.min(labels.length, Math.floor(room / narrowest));
  const cellWidth = Math.max(narrowest, Math.min(widest, Math.floor(room / Math.max(1, shown))));
  const used = labels.slice(0, shown);
  const isNumbered = used.some((label) => textWidth(label) >= cellWidth);
  const key = used.map((label, i) => `${i + 1} ${label}`).join(', ');
  return {
    cellWidth,
    shown,
    header: `${' '.repeat(gutter + 1)}${isNumbered ? numbers(shown, cellWidth) : names()}`.trimEnd(),
    rowLabels: map.rowLabels.map((label) => `${fitText(label, gutter, ellipsis)} `),
    notes: [
      ...(isNumbered ? [`columns: ${key}`] : []),
      ...(shown < labels.length ? [`${shown} of ${labels.length} columns shown`] : []),
    ].flatMap((note) => wrapText(note, width, ellipsis)),
  };

  function names(): string {
    return used.map((label) => fitText(label, cellWidth, ellipsis)).join('');
  }
}

/** `1 2 3`, or every second, third ... number where there is no room for all. */
function numbers(count: number, cellWidth: number): string {
  const every = Math.ceil((String(count).length + 1) / cellWidth);
  let text = '';
  for (let i = 0; i < count; i += every) {
    const room = Math.min(every, count - i) * cellWidth;
    text += String(i + 1)
      .padEnd(room)
      .slice(0, room);
  }
  return text;
}
