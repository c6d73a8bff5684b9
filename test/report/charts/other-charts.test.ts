import { expect, test } from 'vitest';
import {
  histogram,
  intervalPlot,
  renderPlain,
  scatterChart,
  sparkline,
} from '../../../src/report/charts/index.js';
import { braille, columnsOf, numbers, plotLines, textIn } from './support.js';

const show = (lines: readonly string[]): string => `\n${lines.join('\n')}\n`;

test('a sparkline', () => {
  expect(sparkline([1, 2, 3, 4, 5, 6, 7, 8])).toBe('▁▂▃▄▅▆▇█');
  expect(sparkline([0, null, 1, NaN, 0.5])).toBe('▁ █ ▅');
  expect(sparkline([0, 1], { range: [0, 2], ascii: true })).toBe('_+');
  expect(sparkline([2, 2])).toBe('▅▅');
  expect(sparkline([null])).toBe(' ');
  expect(sparkline([])).toBe('');
  expect(() => sparkline([1], { width: 0 })).toThrow(RangeError);
  const spiky = numbers(10_000, (i) => (i === 7777 ? 1 : 0));
  expect(sparkline(spiky, { width: 10 })).toBe('▁▁▁▁▁▁▁█▁▁');
});

test('scattered points lie on the identity they are on', () => {
  const at = [0, 0.25, 0.5, 0.75, 1];
  const options = { series: [{ name: '', x: at, y: at }], width: 40, height: 12 };
  const lines = plotLines(scatterChart(options));
  expect(lines.join('').match(/o/g)).toHaveLength(5);
  expect(lines.some((line) => braille.test(line))).toBe(false);
  const withLine = plotLines(scatterChart({ ...options, identity: true })).slice(0, -2);
  for (const [row, line] of withLine.entries()) {
    const [first] = columnsOf(line, /[\u2801-\u28FFo]/);
    // The identity falls from the upper right.
    if (row > 0) expect(first).toBeLessThan(columnsOf(withLine[row - 1]!, /[\u2801-\u28FFo]/)[0]!);
  }
});

test('marks and colours tell series apart; a note counts cells with several', () => {
  const chart = scatterChart({
    series: [
      { name: 'a', x: [0, 1], y: [0, 1] },
      { name: 'b', x: [0, 1], y: [1, 1] },
    ],
    width: 30,
    height: 8,
  });
  expect(textIn(chart, 0)).toMatch(/^o *$/);
  expect(textIn(chart, 1).replaceAll(' ', '')).toBe('xx');
  expect(chart.notes.join(' ')).toContain('the last shows: 1');
});

test('a scatter chart on log axes', () => {
  const x = numbers(9, (i) => 10 ** (i / 2));
  const chart = scatterChart({
    series: [{ name: 'noise', x: [...x, 0], y: [...x.map((at) => at ** -0.5), 1] }],
    width: 50,
    height: 11,
    logX: true,
    logY: true,
    xLabel: 'batch size',
    yLabel: 'norm',
    curves: [{ name: 'one over root', y: (at) => at ** -0.5 }],
  });
  expect(show(renderPlain(chart))).toMatchInlineSnapshot(`
    "
    norm
       1┤o⠒⠢⠤⣀⡀
        │     o⠑⠒⠤⢄⣀
        │           o⠑⠒⠤⢄⣀
        │                o⠉⠒⠢⠤⣀⡀
     0.1┤                      o⠉⠒⠢⠤⣀o
        │                            ⠉⠑⠒⠤⢄o
        │                                  ⠉⠑⠒⠤⢄o
    0.01┤                                       ⠈⠉⠒⠢⠤o
        └┬──────────┬──────────┬────────── batch size
         1         10         100        1k        10k
    o noise   ┄┄┄ one over root
    not positive, left out on the log axis: noise 1
    point
    "
  `);
});

const rows = [
  { label: 'cos(D1, QD1)', estimate: 0.31, interval: [0.22, 0.4] as const },
  { label: 'cos(D2, QD2)', estimate: 0.05, interval: [-0.04, 0.14] as const },
  { label: 'own null', estimate: 0.2, interval: [0.12, 0.28] as const, nullValue: 0.15 },
  { label: 'open', estimate: 0.1, interval: [-Infinity, 0.3] as const },
  { label: 'one seed', estimate: 0.2, interval: null },
  { label: 'absent', estimate: null, interval: null },
];

test('an interval plot', () => {
  expect(show(renderPlain(intervalPlot({ rows, width: 72, xLabel: 'cosine' })))).toMatchInlineSnapshot(`
    "
    cos(D1, QD1)    ┊                   ├──────●───────┤  0.31 [0.22, 0.4]
    cos(D2, QD2) ├──┼────●───────┤                        0.05 [-0.04, 0.14]
    own null                   ├─┼────●──────┤            0.2 [0.12, 0.28]
    open         ◄──┼────────●─────────────────┤          0.1 [-inf, 0.3]
    one seed        ┊                 ●                   0.2
    absent          ┊                                     none
                └───┬────────┬────────┬────────┬ cosine
                    0       0.1      0.2      0.3     0.4
    "
  `);
  expect(show(renderPlain(intervalPlot({ rows, width: 36, ascii: true, xRange: [-0.1, 0.35] }))))
    .toMatchInlineSnapshot(`
    "
    cos(D1, QD1)      :          |---o->
    cos(D2, QD2)    |-+-o----|
    own null                |+--o---|
    open         <----+----o---------|
    one seed          :         o
    absent            :
                +-----+---------+-------
                      0        0.2
    "
  `);
});

test('an interval plot without estimates, and one that is too narrow', () => {
  expect(
    renderPlain(intervalPlot({ rows: [], width: 30 }))
      .join('')
      .trim(),
  ).toBe('no data');
  expect(() => intervalPlot({ rows, width: 10 })).toThrow(RangeError);
  expect(() => intervalPlot({ rows, width: 30, xRange: [1, 0] })).toThrow(RangeError);
});

test('a histogram counts every value once', () => {
  const values = [...numbers(100, (i) => Math.sin(i)), null, NaN];
  const lines = renderPlain(histogram(values, { width: 40, bins: 8 }));
  expect(show(lines)).toMatchInlineSnapshot(`
    "
    -1.0 -0.8 ████████████████████████▊ 20
    -0.8 -0.6 ███████████▏ 9
    -0.6 -0.4 █████████▉ 8
    -0.4 -0.2 ███████▍ 6
    -0.2    0 ███████▍ 6
       0  0.2 █████████▉ 8
     0.2  0.4 ███████▍ 6
     0.4  0.6 ████████▋ 7
     0.6  0.8 ███████████▏ 9
     0.8  1.0 ██████████████████████████ 21
    left out: 2
    "
  `);
  const counts = lines.slice(0, -1).map((line) => Number(line.trim().split(/\s+/).at(-1)));
  expect(counts.reduce((a, b) => a + b)).toBe(100);
  expect(renderPlain(histogram([null], { width: 20 })).join('')).toContain('no data');
  expect(() => histogram(values, { width: 40, bins: 0 })).toThrow(RangeError);
});
