import { printable } from '../../../data/printable.js';
import { textWidth } from '../charts/text-width.js';

/** Lines of a table whose columns are as wide as their widest cell, each aligned as told. Cells are made printable. */
export function textTable(
  texts: readonly (readonly string[])[],
  alignment: readonly ('left' | 'right')[],
): string[] {
  const rows = texts.map((row) => row.map(printable));
  const widths = alignment.map((_, column) =>
    Math.max(0, ...rows.map((row) => textWidth(row[column] ?? ''))),
  );
  return rows.map((row) =>
    row
      .map((cell, column) =>
        alignment[column] === 'right'
          ? blanks(widths[column]!, cell) + cell
          : cell + blanks(widths[column]!, cell),
      )
      .join('  ')
      .trimEnd(),
  );
}

const blanks = (width: number, cell: string): string => ' '.repeat(Math.max(0, width - textWidth(cell)));

/** Lines of at most `width` columns, broken between words; `indent` goes before all but the first. */
export function wrap(text: string, width: number, indent = ''): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of printable(text).split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (textWidth(longer) > width && line !== '') {
      lines.push(line);
      line = `${indent}${word}`;
    } else line = longer;
  }
  return [...lines, line];
}

/** Narrowest first column that is still read with ease. */
const leastFirst = 14;

/** {@link textTable} of at most `width` characters, if need be with the first column broken over several lines. */
export function fittedTable(
  rows: readonly (readonly string[])[],
  alignment: readonly ('left' | 'right')[],
  width: number,
): string[] {
  const others = alignment
    .slice(1)
    .reduce((sum, _, i) => sum + 2 + Math.max(0, ...rows.map((row) => row[i + 1]?.length ?? 0)), 0);
  const first = Math.max(leastFirst, width - others);
  const broken = rows.flatMap((row) => {
    const lines = wrap(row[0] ?? '', first, '  ');
    // The numbers stand in the last line of the name.
    return lines.map((line, i) => (i === lines.length - 1 ? [line, ...row.slice(1)] : [line]));
  });
  return textTable(broken, alignment);
}
