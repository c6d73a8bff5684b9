import { printable } from '../../../data/printable.js';

/** Characters two columns wide in a terminal: East Asian wide and full-width forms, and emoji. */
const wide =
  /[\u1100-\u115F\u2E80-\u303E\u3041-\uA4CF\uA960-\uA97F\uAC00-\uD7A3\uF900-\uFAFF\uFE10-\uFE19\uFE30-\uFE6F\uFF01-\uFF60\uFFE0-\uFFE6\u{16FE0}-\u{18DFF}\u{1AFF0}-\u{1B2FF}\u{1F000}-\u{1FAFF}\u{20000}-\u{3FFFD}]|\p{Emoji_Presentation}/u;
const attached = /[\p{Mn}\p{Me}]/u;
/** Printable, but of no certain width in a terminal: joiners, variation selectors, unassigned code points. */
const unsized = /[\p{C}\uFE0F\u20E3]+/gu;

/**
 * The cells of a terminal row that a text takes, one string per column: a wide character is followed by an empty
 * string, a combining mark belongs to the cell before it, what is unprintable is escaped. With `ascii`, everything else
 * than ASCII becomes `?`.
 */
export function toCells(text: string, ascii = false): string[] {
  const cells: string[] = [];
  for (const character of printable(text).replace(unsized, ' ')) {
    if (character >= ' ' && character <= '~') cells.push(character);
    else if (attached.test(character)) {
      const last = cells.findLastIndex((cell) => cell !== '');
      if (!ascii && last >= 0) cells[last] += character;
    } else if (ascii) cells.push('?');
    else if (wide.test(character)) cells.push(character, '');
    else cells.push(character);
  }
  return cells;
}

/** Columns a text takes in a terminal. */
export const textWidth = (text: string): number => toCells(text).length;

/** Cells of a text cut to at most `width` columns, with `ellipsis` for what is left out. */
export function fitCells(text: string, width: number, ellipsis: string): string[] {
  const cells = toCells(text, ellipsis === '~');
  if (cells.length <= width) return cells;
  if (width <= 0) return [];
  const kept = cells.slice(0, width - 1);
  // A wide character must not lose its second column.
  if (cells[width - 1] === '') kept[width - 2] = ' ';
  return [...kept, ellipsis];
}

/** A text of exactly `width` columns, cut or filled with blanks on the right (on the left for 'right'). */
export function fitText(
  text: string,
  width: number,
  ellipsis: string,
  align: 'left' | 'right' = 'left',
): string {
  const cells = fitCells(text, width, ellipsis);
  const blanks = ' '.repeat(Math.max(0, width - cells.length));
  return align === 'left' ? cells.join('') + blanks : blanks + cells.join('');
}

/** Rows of at most `width` columns, broken between words; a word that is too long is cut. */
export function wrapText(text: string, width: number, ellipsis: string): string[] {
  const rows: string[] = [];
  let row = '';
  for (const whole of toCells(text, ellipsis === '~')
    .join('')
    .split(/\s+/)
    .filter(Boolean)) {
    const word = fitCells(whole, width, ellipsis).join('');
    const longer = row === '' ? word : `${row} ${word}`;
    if (textWidth(longer) > width) {
      rows.push(row);
      row = word;
    } else row = longer;
  }
  return row === '' ? rows : [...rows, row];
}
