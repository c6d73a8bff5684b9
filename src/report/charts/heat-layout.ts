import { checkSize } from './chart.js';
import { glyphs } from './glyphs.js';
import type { HeatMap } from './heat-map.js';
import { fitText, textWidth, wrapText } from './text-width.js';

/** Where the labels and cells of a heat map go. */
export interface HeatLayout {
  /** Columns of each cell. */
  readonly cellWidth: number;
  /** Columns of the matrix beside each other, in blocks below each other. */
  readonly blocks: readonly HeatBlock[];
  /** Labels of rows, all of the same width, with the blank that follows. */
  readonly rowLabels: readonly string[];
  /** What the numbers in the header stand for, and what is left out. */
  readonly notes: readonly string[];
}

/** Columns of the matrix from one to before another. */
export interface HeatBlock {
  readonly from: number;
  readonly to: number;
  readonly header: string;
}

const narrowest = 2;
const widest = 8;
/** A sign, three digits and a blank. */
const narrowestNumber = 7;

/**
 * Fits a heat map into `width` columns. Labels of columns that are too long for them become numbers with a key. Where cells
 * hold `numbers`, columns for which there is no room go into further blocks; else they are left out, and a note says so.
 *
 * @throws RangeError if `width` is below 20
 */
export function layOutHeat(map: HeatMap, width: number, ascii: boolean, numbers: boolean): HeatLayout {
  checkSize(width);
  const { ellipsis } = glyphs(ascii);
  const { columnLabels: labels } = map;
  const gutter = Math.min(Math.max(0, ...map.rowLabels.map(textWidth)), Math.floor(width / 3));
  const room = width - gutter - 1;
  const least = numbers ? narrowestNumber : narrowest;
  const shown = Math.max(1, Math.min(labels.length, Math.floor(room / least)));
  const cellWidth = Math.max(Math.min(least, room), Math.min(widest, Math.floor(room / shown)));
  const used = numbers ? labels : labels.slice(0, shown);
  const isNumbered = used.some((label) => textWidth(label) >= cellWidth);
  const key = used.map((label, i) => `${i + 1} ${label}`).join(', ');
  return {
    cellWidth,
    blocks: Array.from({ length: Math.ceil(used.length / shown) }, (_, i): HeatBlock => {
      const [from, to] = [i * shown, Math.min(used.length, (i + 1) * shown)];
      const header = isNumbered ? numbersFrom(from, to, cellWidth) : names(from, to);
      return { from, to, header: `${' '.repeat(gutter + 1)}${header}`.trimEnd() };
    }),
    rowLabels: map.rowLabels.map((label) => `${fitText(label, gutter, ellipsis)} `),
    notes: [
      ...(isNumbered ? [`columns: ${key}`] : []),
      ...(used.length < labels.length ? [`${used.length} of ${labels.length} columns shown`] : []),
    ].flatMap((note) => wrapText(note, width, ellipsis)),
  };

  function names(from: number, to: number): string {
    return used
      .slice(from, to)
      .map((label) => fitText(label, cellWidth, ellipsis))
      .join('');
  }
}

/** `1 2 3`, or every second, third ... number where there is no room for all. */
function numbersFrom(from: number, to: number, cellWidth: number): string {
  const every = Math.ceil((String(to).length + 1) / cellWidth);
  let text = '';
  for (let i = from; i < to; i += every) {
    const room = Math.min(every, to - i) * cellWidth;
    text += String(i + 1)
      .padEnd(room)
      .slice(0, room);
  }
  return text;
}
