import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import {
  heatBackground,
  heatMap,
  renderHeatAnsi,
  renderHeatPlain,
} from '../../../src/report/charts/index.js';

const labels = ['a', 'b'];

test('levels of a diverging scale are symmetric around zero', () => {
  const map = heatMap({
    values: [
      [-1, 0],
      [4, null],
    ],
    rowLabels: labels,
    columnLabels: labels,
    scale: 'diverging',
  });
  expect(map.range).toEqual([-4, 4]);
  expect(map.cells.flat().map(({ level }) => level)).toEqual([-0.25, 0, 1, null]);
});

test('levels of a sequential scale go from the lowest to the highest value', () => {
  const map = heatMap({
    values: [
      [2, 3],
      [6, NaN],
    ],
    rowLabels: labels,
    columnLabels: labels,
    scale: 'sequential',
  });
  expect(map.cells.flat().map(({ level }) => level)).toEqual([0, 0.25, 1, null]);
});

test('a given range cuts', () => {
  const map = heatMap({
    values: [[-3, 0.5]],
    rowLabels: ['a'],
    columnLabels: labels,
    scale: 'diverging',
    range: [-1, 1],
  });
  expect(map.cells[0]!.map(({ level }) => level)).toEqual([-1, 0.5]);
});

test('backgrounds of levels', () => {
  const all = [-1, -0.5, 0, 0.5, 1].map((level) => heatBackground(level, 'diverging'));
  expect(new Set(all).size).toBe(5);
  expect(heatBackground(0, 'sequential')).not.toBe(heatBackground(1, 'sequential'));
});

test('labels and values that do not belong together are refused', () => {
  const own = { values: [[1, 2]], rowLabels: ['a'], columnLabels: labels, scale: 'diverging' as const };
  expect(() => heatMap({ ...own, rowLabels: labels })).toThrow(RangeError);
  expect(() => heatMap({ ...own, columnLabels: ['a'] })).toThrow(RangeError);
  expect(() => heatMap({ ...own, range: [1, 1] })).toThrow(RangeError);
  expect(() => renderHeatPlain(heatMap(own), { width: 19 })).toThrow(RangeError);
});

const layers = ['embedding', 'wq', 'wk', 'wv', 'unembedding'];
const gram = heatMap({
  values: layers.map((_, i) =>
    layers.map((_, j) => (i === 1 && j === 3 ? null : Math.cos(0.9 * (i - j)) * (1 - 0.1 * i))),
  ),
  rowLabels: layers,
  columnLabels: layers,
  scale: 'diverging',
});

test('in numbers, wide and in blocks', () => {
  expect(`\n${renderHeatPlain(gram, { width: 60 }).join('\n')}\n`).toMatchInlineSnapshot(`
    "
                1       2       3       4       5
    embedding    1       0.622  -0.227  -0.904  -0.897
    wq           0.559   0.9     0.559  ?       -0.814
    wk          -0.182   0.497   0.8     0.497  -0.182
    wv          -0.633  -0.159   0.435   0.7     0.435
    unembedding -0.538  -0.542  -0.136   0.373   0.6
    from -1 to 1, ? no value
    columns: 1 embedding, 2 wq, 3 wk, 4 wv, 5 unembedding
    "
  `);
  expect(`\n${renderHeatPlain(gram, { width: 24, ascii: true }).join('\n')}\n`).toMatchInlineSnapshot(`
    "
             1      2
    embeddi~  1      0.622
    wq        0.559  0.9
    wk       -0.182  0.497
    wv       -0.633 -0.159
    unembed~ -0.538 -0.542
             3      4
    embeddi~ -0.227 -0.904
    wq        0.559 ?
    wk        0.8    0.497
    wv        0.435  0.7
    unembed~ -0.136  0.373
             5
    embeddi~ -0.897
    wq       -0.814
    wk       -0.182
    wv        0.435
    unembed~  0.6
    from -1 to 1, ? no value
    columns: 1 embedding, 2
    wq, 3 wk, 4 wv, 5
    unembedding
    "
  `);
});

test('in colours, with values', () => {
  const text = stripVTControlCharacters(renderHeatAnsi(gram, { width: 60 }).join('\n'));
  expect(`\n${text}\n`).toMatchInlineSnapshot(`
    "
                1       2       3       4       5
    embedding         1   0.622  -0.227  -0.904  -0.897 
    wq            0.559     0.9   0.559 ?        -0.814 
    wk           -0.182   0.497     0.8   0.497  -0.182 
    wv           -0.633  -0.159   0.435     0.7   0.435 
    unembedding  -0.538  -0.542  -0.136   0.373     0.6 
    blue -1, white 0, orange 1, ? no value
    columns: 1 embedding, 2 wq, 3 wk, 4 wv, 5 unembedding
    "
  `);
});

test('a matrix that is too wide says how much is shown', () => {
  const many = Array.from({ length: 50 }, (_, i) => `c${i}`);
  const map = heatMap({
    values: [many.map((_, i) => i)],
    rowLabels: ['row'],
    columnLabels: many,
    scale: 'sequential',
  });
  const lines = renderHeatAnsi(map, { width: 30 });
  expect(lines[0]).toMatch(/^ {4}1 {3}3 {3}5 {3}7 {3}9 {3}11 {2}13$/);
  expect(lines.at(-1)).toBe('13 of 50 columns shown');
});

test('in numbers every value of a wide matrix is there, none of them rounded to nothing', () => {
  const many = Array.from({ length: 20 }, (_, i) => `c${i}`);
  const own = many.map((_, i) => (i % 2 === 0 ? 1 : -1) * 10 ** (2 - i) * 1.234);
  const map = heatMap({ values: [own], rowLabels: ['row'], columnLabels: many, scale: 'diverging' });
  for (const width of [20, 33, 60, 100]) {
    const cells = renderHeatPlain(map, { width })
      .filter((line) => line.startsWith('row'))
      .flatMap((line) => line.slice(4).trim().split(/\s+/));
    expect(cells).toHaveLength(20);
    for (const [i, cell] of cells.entries())
      if (cell !== '~0') expect(Math.abs(Number(cell) / own[i]! - 1)).toBeLessThan(0.5);
  }
});
