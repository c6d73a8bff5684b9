import type { BrailleCanvas } from './braille-canvas.js';
import type { PlotFrame } from './frame.js';
import { seriesLetter } from './glyphs.js';
import { placeLetters } from './letters.js';

/** Characters of lines and shades where there is no braille. */
const plain = { line: '*', shade: ',', reference: '.' } as const;

/**
 * Puts lines into the plot of a frame, shades only into cells without a line, and letters on the lines if there are
 * several. `colors` is one a series.
 */
export function paintLines(
  { grid, plot }: PlotFrame,
  lines: BrailleCanvas,
  shades: BrailleCanvas,
  colors: readonly number[],
  ascii: boolean,
): void {
  const several = colors.length > 1;
  for (let row = 0; row < plot.height; row++)
    for (let column = 0; column < plot.width; column++) {
      const isLine = !lines.isBlank(column, row);
      const { text, series } = (isLine ? lines : shades).cell(column, row);
      if (text === ' ') continue;
      grid.put(
        plot.column + column,
        plot.row + row,
        ascii ? asciiOf(isLine, series, several) : text,
        series === null ? null : colors[series]!,
      );
    }
  if (!several || ascii) return;
  for (const { column, row, series } of placeLetters(lines, colors.length))
    grid.put(plot.column + column, plot.row + row, seriesLetter(series), colors[series]);
}

function asciiOf(isLine: boolean, series: number | null, several: boolean): string {
  if (!isLine) return series === null ? plain.reference : plain.shade;
  return several && series !== null ? seriesLetter(series) : plain.line;
}

/** Draws a vertical line through a plot, behind the lines. */
export function drawVertical(
  { grid, plot }: PlotFrame,
  lines: BrailleCanvas,
  column: number,
  text: string,
): void {
  if (column < plot.column || column >= plot.column + plot.width) return;
  for (let row = 0; row < plot.height; row++)
    if (lines.isBlank(column - plot.column, row)) grid.put(column, plot.row + row, text);
}
