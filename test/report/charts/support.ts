import { Terminal } from '@xterm/headless';
import type { Chart } from '../../../src/report/charts/index.js';

/** `count` numbers from `at(0)` on. */
export const numbers = (count: number, at: (i: number) => number): number[] =>
  Array.from({ length: count }, (_, i) => at(i));

/** The lines of a plot without legend and notes. */
export const plotLines = (chart: Chart): string[] =>
  chart.rows.map((row) => row.map(({ text }) => text).join(''));

/** All of a chart's text in the colour of a series. */
export const textIn = (chart: Chart, color: number | null): string =>
  chart.rows
    .flat()
    .filter((segment) => segment.color === color)
    .map(({ text }) => text)
    .join('');

/** Columns of a line, from 0 on, at which `pattern` is found. */
export const columnsOf = (line: string, pattern: RegExp): number[] =>
  Array.from(line, (character, column) => (pattern.test(character) ? column : -1)).filter((at) => at >= 0);

export const braille = /[\u2801-\u28FF]/;

/** The lines that a terminal of `width` columns breaks when they are printed. */
export async function brokenLines(lines: readonly string[], width: number): Promise<string[]> {
  const terminal = new Terminal({ cols: width, rows: 4, scrollback: 2000, allowProposedApi: true });
  await new Promise<void>((done) => terminal.write(lines.join('\r\n'), done));
  const { active } = terminal.buffer;
  const broken = Array.from({ length: active.length }, (_, row) => active.getLine(row))
    .filter((line) => line?.isWrapped)
    .map((line) => line!.translateToString(true));
  terminal.dispose();
  return broken;
}
