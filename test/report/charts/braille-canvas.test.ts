import { expect, test } from 'vitest';
import { BrailleCanvas } from '../../../src/report/charts/index.js';

test('each dot is its own bit of the braille block', () => {
  const order = [
    [0, 0, '⠁'],
    [0, 1, '⠂'],
    [0, 2, '⠄'],
    [0, 3, '⡀'],
    [1, 0, '⠈'],
    [1, 1, '⠐'],
    [1, 2, '⠠'],
    [1, 3, '⢀'],
  ] as const;
  for (const [x, y, expected] of order) {
    const canvas = new BrailleCanvas(1, 1);
    canvas.set(x, y, 3);
    expect(canvas.toRows()).toEqual([[{ text: expected, series: 3 }]]);
  }
});

test('a cell remembers the series that drew last', () => {
  const canvas = new BrailleCanvas(2, 1);
  canvas.set(0, 0, 0);
  canvas.set(1, 3, 1);
  expect(canvas.toRows()).toEqual([
    [
      { text: '⢁', series: 1 },
      { text: ' ', series: null },
    ],
  ]);
});

test('lines go from dot to dot and are cut at the edges', () => {
  const canvas = new BrailleCanvas(2, 1);
  canvas.line(0, 0, 3, 3, 0);
  expect(canvas.toRows()[0]!.map(({ text }) => text)).toEqual(['⠑', '⢄']);

  const cut = new BrailleCanvas(2, 1);
  cut.line(-1000, 1, 1000, 1, 0);
  cut.line(0, -1e9, 0, -5, 0);
  cut.set(-1, 0, 0);
  cut.set(0, 4, 0);
  expect(cut.toRows()[0]!.map(({ text }) => text)).toEqual(['⠒', '⠒']);
});

test('a canvas without cells is refused', () => {
  expect(() => new BrailleCanvas(0, 4)).toThrow(RangeError);
  expect(() => new BrailleCanvas(3, 1.5)).toThrow(RangeError);
});
