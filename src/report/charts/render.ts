import type { Chart, ChartRow } from './chart.js';
import { defaultPalette, type Palette } from './palette.js';

const reset = '\u001B[39m';

/** The lines of a chart without colours: plot, legend, notes. */
export function renderPlain(chart: Chart): string[] {
  return lines(chart, (row) => row.map(({ text }) => text).join(''));
}

/**
 * The lines of a chart with the 256-colour codes of a terminal for the series; axes and text keep the terminal's
 * own colour. A palette without colours gives plain lines.
 */
export function renderAnsi(chart: Chart, palette: Palette = defaultPalette): string[] {
  if (palette.length === 0) return renderPlain(chart);
  return lines(chart, (row) =>
    row
      .map(({ text, color }) =>
        color === null ? text : `\u001B[38;5;${palette[color % palette.length]}m${text}${reset}`,
      )
      .join(''),
  );
}

const lines = ({ rows, legend, notes }: Chart, render: (row: ChartRow) => string): string[] => [
  ...rows.map((row) => render(row)),
  ...legend.map((row) => render(row)),
  ...notes,
];
