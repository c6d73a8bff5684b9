import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import {
  defaultPalette,
  lineChart,
  type LineChartOptions,
  renderAnsi,
  renderPlain,
  type Series,
} from '../../../src/report/charts/index.js';
import { braille, columnsOf, numbers, plotLines, textIn } from './support.js';

const size = { width: 60, height: 12 };
const x = numbers(101, (i) => i);
const flat = { name: 'flat', x, y: x.map(() => 0) };

/** The columns of the plot that hold dots, over all rows. */
const drawn = (options: Omit<LineChartOptions, 'width' | 'height'>): number[] => {
  const columns = plotLines(lineChart({ ...size, ...options })).flatMap((line) => columnsOf(line, braille));
  return [...new Set(columns)].sort((a, b) => a - b);
};

test('one sample among a million stands out', () => {
  const count = 1_000_000;
  const y = new Float64Array(count);
  const long = new Float64Array(count).map((_, i) => i);
  y[654_321] = 1;
  const lines = plotLines(lineChart({ ...size, series: [{ name: '', x: long, y }] }));
  const [column, ...more] = columnsOf(lines[0]!, braille);
  expect(more).toEqual([]);
  const start = lines[0]!.search(/[│┤]/) + 1;
  expect(column).toBe(start + Math.floor(Math.round(0.654321 * (2 * (60 - start) - 1)) / 2));
  for (const line of lines.slice(0, -2)) expect(braille.test(line[column!]!)).toBe(true);
});

test('null, NaN and infinite values leave gaps, and a point between gaps is a dot', () => {
  const gap = (value: number | null) => ({
    series: [{ name: '', x, y: x.map((at) => (at > 30 && at < 70 && at !== 50 ? value : 1)) }],
    yRange: [0.5, 2] as const,
  });
  for (const value of [null, NaN, Infinity, -Infinity]) {
    const columns = drawn(gap(value));
    expect(columns).toContain(5);
    const inside = columns.filter((column) => column > 24 && column < 42);
    expect(inside).toHaveLength(1);
  }
  expect(drawn(gap(1)).length).toBeGreaterThan(drawn(gap(null)).length + 15);
});

test('a power law is straight on log axes', () => {
  const positive = numbers(200, (i) => 10 ** (i / 50));
  const chart = lineChart({
    ...size,
    series: [{ name: '', x: positive, y: positive.map((at) => at ** -2) }],
    logX: true,
    logY: true,
  });
  const lines = plotLines(chart).slice(0, -2);
  const middles = lines.map((line) => {
    const columns = columnsOf(line, braille);
    return (columns[0]! + columns.at(-1)!) / 2;
  });
  const steps = middles.slice(1).map((at, i) => at - middles[i]!);
  for (const step of steps) expect(Math.abs(step - steps[4]!)).toBeLessThanOrEqual(1);
  expect(plotLines(chart).at(-1)).toMatch(/^ *1 +10 +100 +1k$/);
});

test('what is not positive on a log axis is a gap, and is counted', () => {
  const y = x.map((at) => (at % 10 === 0 ? -at : at));
  const chart = lineChart({ ...size, series: [{ name: 'loss', x, y }, flat], logY: true });
  expect(chart.notes).toEqual(['not positive, left out on the log axis: loss 11 points, flat', '101 points']);
});

test('a given range cuts the lines, y follows the points in the x range, and a note counts what is outside', () => {
  const line = { name: 'line', x, y: x };
  const zoomed = plotLines(lineChart({ ...size, series: [line], xRange: [20, 30] }));
  expect(zoomed.join('\n')).toContain('30┤');
  expect(zoomed.join('\n')).not.toContain('60');
  const cut = lineChart({ ...size, series: [line], yRange: [0, 50] });
  expect(cut.notes).toEqual(['outside the y range: line 50 points']);
  expect(columnsOf(plotLines(cut)[0]!, braille).at(-1)).toBeLessThan(36);
});

test('an x range between two samples shows the line that crosses it', () => {
  const crossing = { name: '', x: [0, 100], y: [0, 1] };
  expect(drawn({ series: [crossing], xRange: [40, 60], yRange: [0, 1] })).toHaveLength(56);
  const beyond = lineChart({ ...size, series: [crossing], xRange: [101, 102] });
  expect(plotLines(beyond).join('').trim()).toBe('no data');
});

test('bands shade between their edges, with gaps, and the y range holds them', () => {
  const band = { ...flat, low: x.map((at) => (at > 50 ? null : -1)), high: x.map(() => 2) };
  const lines = plotLines(lineChart({ ...size, series: [band], xLabel: 'step' }));
  expect(columnsOf(lines[0]!, braille).length).toBeGreaterThan(20);
  expect(columnsOf(lines[0]!, braille).at(-1)).toBeLessThan(33);
  expect(lines.join('\n')).toContain('2┤');
  expect(lines.join('\n')).toContain('-1┤');
});

test('reference bands are dotted lines at their ends', () => {
  const chart = lineChart({
    ...size,
    series: [flat],
    yRange: [-1, 1],
    bands: [{ low: -0.5, high: 0.5, label: 'null' }],
  });
  const dotted = plotLines(chart).filter((line) => columnsOf(line, braille).length > 30);
  expect(dotted).toHaveLength(3);
  expect(renderPlain(chart).at(-1)).toBe('─── flat   ┄┄┄ null');
});

test('the cursor reads the nearest sample of each series', () => {
  const series = [
    { name: 'a', x: [0, 10, 20], y: [1, 2, 3] },
    { name: 'b', x: [0, 8, 20], y: [0.5, null, 0.25] },
    { name: 'c', x: [15, 20], y: [1, 1] },
  ];
  const chart = lineChart({ ...size, series, xLabel: 'step', cursor: 9.5 });
  expect(chart.readout).toEqual({
    x: 9.5,
    values: [
      { name: 'a', sample: { x: 10, y: 2 } },
      { name: 'b', sample: null },
      { name: 'c', sample: null },
    ],
  });
  expect(renderPlain(chart).at(-1)).toBe('at step 9.5:   ─A─ a 2   ─B─ b none   ─C─ c none');
  const lines = plotLines(chart).slice(0, -2);
  const column = lines.at(-2)!.lastIndexOf('│');
  expect(lines.filter((line) => line[column] === '│').length).toBeGreaterThan(6);
  expect(lineChart({ ...size, series, cursor: 21 }).readout).toBeNull();
});

test('markers stand at their x with their labels; labels without room go to a note', () => {
  const markers = [
    { x: 0, label: 'stage 1' },
    { x: 50, label: 'stage 2' },
    { x: 51, label: 'evaluation' },
    { x: 500, label: 'outside' },
  ];
  const chart = lineChart({ ...size, series: [flat], yRange: [-1, 1], markers });
  const [labels, first] = plotLines(chart);
  expect(labels!.indexOf('stage 1')).toBe(first!.indexOf('┊'));
  expect(labels).toContain('evaluation');
  expect(labels).not.toContain('outside');
  expect(chart.notes).toEqual(['marks: stage 2 at 50']);
});

test('letters tell several series apart, also where they cross', () => {
  const series = [0, 1, 2, 3].map((i) => ({ name: `s${i}`, x, y: x.map((at) => (at - 50) * (i - 1.5)) }));
  const chart = lineChart({ ...size, series });
  for (const [i, letter] of ['A', 'B', 'C', 'D'].entries()) expect(textIn(chart, i)).toContain(letter);
  expect(chart.legend[0]!.map(({ text }) => text.trim()).filter(Boolean)).toEqual([
    '─A─',
    's0',
    '─B─',
    's1',
    '─C─',
    's2',
    '─D─',
    's3',
  ]);
});

test('colours are those of the series, in the codes of the palette', () => {
  const series = [
    { ...flat, color: 5 },
    { ...flat, y: x },
  ];
  const chart = lineChart({ ...size, series });
  expect(new Set(chart.rows.flat().map(({ color }) => color))).toEqual(new Set([null, 1, 5]));
  const text = renderAnsi(chart, [10, 20, 30]).join('\n');
  expect(text).toContain('\u001B[38;5;20m');
  expect(text).toContain('\u001B[38;5;30m');
  expect(stripVTControlCharacters(text)).toBe(renderPlain(chart).join('\n'));
});

test('the palette reads on black and on white', () => {
  for (const code of defaultPalette) {
    const light = luminance(code);
    expect((light + 0.05) / 0.05).toBeGreaterThanOrEqual(3);
    expect(1.05 / (light + 0.05)).toBeGreaterThanOrEqual(3);
  }
});

/** Relative luminance (WCAG 2.2) of a code in the cube of 6 x 6 x 6 colours of xterm. */
function luminance(code: number): number {
  const index = code - 16;
  const channels = [Math.floor(index / 36), Math.floor(index / 6) % 6, index % 6].map((level) => {
    const share = (level === 0 ? 0 : 55 + 40 * level) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * channels[0]! + 0.7152 * channels[1]! + 0.0722 * channels[2]!;
}

test.each<{ series: Series[] }>([
  { series: [] },
  { series: [{ name: 'a', x: [], y: [] }] },
  { series: [{ name: 'a', x: [1, 2], y: [null, NaN] }] },
])('nothing to show says so: $series', ({ series }) => {
  const lines = plotLines(lineChart({ ...size, series }));
  expect(lines).toHaveLength(12);
  expect(lines.join('').trim()).toBe('no data');
});

test('a single value and numbers at the ends of double precision are drawn', () => {
  for (const y of [[7], [0, 0], [5e-324, 5e-324], [-Number.MAX_VALUE, Number.MAX_VALUE], [1e-310, 2e-310]])
    expect(drawn({ series: [{ name: '', x: y.map((_, i) => i), y }] }).length).toBeGreaterThan(0);
});

test.each([
  ['a chart too narrow', { width: 19 }],
  ['a chart too low', { height: 3 }],
  ['a fraction of a column', { width: 30.5 }],
  ['a range out of order', { yRange: [2, 1] as const }],
  ['a range that is not positive on a log axis', { logX: true, xRange: [0, 1] as const }],
  ['columns of different lengths', { series: [{ name: 'a', x: [1, 2], y: [1] }] }],
  ['half a band', { series: [{ name: 'a', x: [1], y: [1], low: [0] }] }],
])('%s is refused', (_, options) => {
  expect(() => lineChart({ ...size, series: [flat], ...options })).toThrow(RangeError);
});
