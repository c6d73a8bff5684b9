import { expect, test } from 'vitest';
import { cutSeries, decimate } from '../../../src/report/charts/index.js';
import { numbers } from './support.js';

const count = 100_000;
const wave = {
  name: 'wave',
  x: Float64Array.from(numbers(count, (i) => i)),
  y: Float64Array.from(numbers(count, (i) => (i === 70_001 ? 50 : Math.sin(i / 1000)))),
};

test('a thinned curve keeps its ends, its lowest and highest values and every spike', () => {
  const thin = decimate(wave, 400);
  expect(thin.x.length).toBeLessThanOrEqual(1600);
  const points = numbers(thin.x.length, (i) => i).map((i) => [thin.x[i], thin.y[i]]);
  expect(points[0]).toEqual([0, 0]);
  expect(points.at(-1)).toEqual([count - 1, wave.y[count - 1]]);
  expect(points).toContainEqual([70_001, 50]);
  for (const [x, y] of points) expect(y).toBe(wave.y[x!]);
  expect(points.map(([x]) => x)).toEqual(points.map(([x]) => x!).toSorted((a, b) => a - b));
});

test('a gap stays one, a short curve and a band stay as they are', () => {
  const y = wave.y.slice();
  y[500] = NaN;
  const thin = decimate({ ...wave, y }, 400);
  expect(Array.from(thin.y).some((value) => value === null || Number.isNaN(value))).toBe(true);
  const short = { name: 'short', x: [1, 2], y: [1, 2] };
  expect(decimate(short, 1)).toBe(short);
  const band = { ...wave, low: wave.y, high: wave.y };
  expect(decimate(band, 10)).toBe(band);
});

test('a cut series has the points of the range and one on either side', () => {
  const cut = cutSeries(
    {
      name: '',
      x: [1, 2, 3, 4, 5, 6],
      y: [1, null, 3, 4, 5, 6],
      low: [0, 0, 0, 0, 0, 0],
      high: [9, 9, 9, 9, 9, 9],
    },
    [3, 4],
  );
  expect(cut).toEqual({
    name: '',
    x: [2, 3, 4, 5],
    y: [null, 3, 4, 5],
    low: [0, 0, 0, 0],
    high: [9, 9, 9, 9],
  });
  expect(cutSeries(wave, [10, 20]).x).toEqual(wave.x.subarray(9, 22));
  expect(cutSeries(wave, null)).toBe(wave);
});
