import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type Chart,
  heatMap,
  histogram,
  intervalPlot,
  lineChart,
  renderAnsi,
  renderHeatAnsi,
  renderHeatPlain,
  renderPlain,
  scatterChart,
  type Series,
  sparkline,
  textWidth,
} from '../../../src/report/charts/index.js';
import { brokenLines } from './support.js';

const label = fc.string({
  unit: fc.constantFrom('a', 'b', ' ', '界', 'é', 'e\u0301', '👩‍🔬', '\u001B', '\n', 'ｗ'),
});
const value = fc.oneof(
  fc.double(),
  fc.double({ min: -3, max: 3, noNaN: true }),
  fc.constantFrom(null, 0, 1, Infinity, Number.MAX_VALUE, -Number.MAX_VALUE, Number.MIN_VALUE),
);
const size = { width: fc.integer({ min: 20, max: 60 }), height: fc.integer({ min: 4, max: 14 }) };

const series: fc.Arbitrary<Series> = fc
  .record({
    name: label,
    points: fc.array(fc.tuple(value, value, value, value), { maxLength: 12 }),
    band: fc.boolean(),
  })
  .map(({ name, points, band }) => ({
    name,
    x: points.map(([x]) => x ?? 0),
    y: points.map(([, y]) => y),
    ...(band ? { low: points.map((point) => point[2]), high: points.map((point) => point[3]) } : {}),
  }));
const plot = {
  ...size,
  series: fc.array(series, { maxLength: 4 }),
  xLabel: label,
  yLabel: label,
  logX: fc.boolean(),
  logY: fc.boolean(),
  ascii: fc.boolean(),
};

async function expectToFit(chart: Chart, width: number, ascii: boolean): Promise<void> {
  for (const lines of [renderPlain(chart), renderAnsi(chart)]) {
    expect(await brokenLines(lines, width)).toEqual([]);
    expect(lines.some((line) => line.includes('NaN') || line.includes('undefined'))).toBe(false);
  }
  if (ascii) expect(renderPlain(chart).join('')).toMatch(/^[ -~]*$/);
}

test('a line chart keeps to its width and height', async () => {
  const markers = fc.array(fc.record({ x: fc.double(), label }), { maxLength: 4 });
  const bands = fc.array(fc.record({ low: fc.double(), high: fc.double(), label }), { maxLength: 2 });
  const options = fc.record({ ...plot, markers, bands, cursor: fc.option(fc.double(), { nil: undefined }) });
  await fc.assert(
    fc.asyncProperty(options, async (own) => {
      const chart = lineChart(own);
      expect(chart.rows).toHaveLength(own.height);
      await expectToFit(chart, own.width, own.ascii);
    }),
  );
});

test('a scatter chart keeps to its width and height', async () => {
  await fc.assert(
    fc.asyncProperty(fc.record({ ...plot, identity: fc.boolean() }), async (own) => {
      const chart = scatterChart(own);
      expect(chart.rows).toHaveLength(own.height);
      await expectToFit(chart, own.width, own.ascii);
    }),
  );
});

test('an interval plot keeps to its width', async () => {
  const row = fc.record({
    label,
    estimate: value,
    interval: fc.option(fc.tuple(fc.double(), fc.double())),
    nullValue: fc.option(fc.double(), { nil: undefined }),
  });
  const rows = fc.array(row, { maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(rows, size.width, label, fc.boolean(), async (rows, width, xLabel, ascii) => {
      const chart = intervalPlot({ rows, width, xLabel, ascii });
      expect(await brokenLines(renderAnsi(chart), width)).toEqual([]);
    }),
  );
});

test('a histogram keeps to its width', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(value), size.width, fc.boolean(), async (values, width, ascii) => {
      const chart = histogram(values, { width, ascii });
      expect(chart.width).toBe(width);
      await expectToFit(chart, width, ascii);
    }),
  );
});

test('a heat map keeps to its width', async () => {
  const matrix = fc
    .tuple(fc.array(label, { maxLength: 4 }), fc.array(label, { maxLength: 40 }))
    .chain(([rowLabels, columnLabels]) =>
      fc.record({
        rowLabels: fc.constant(rowLabels),
        columnLabels: fc.constant(columnLabels),
        values: fc.array(
          fc.array(value, { minLength: columnLabels.length, maxLength: columnLabels.length }),
          { minLength: rowLabels.length, maxLength: rowLabels.length },
        ),
        scale: fc.constantFrom('diverging' as const, 'sequential' as const),
      }),
    );
  await fc.assert(
    fc.asyncProperty(matrix, size.width, fc.boolean(), async (own, width, ascii) => {
      const map = heatMap(own);
      const least = own.scale === 'diverging' ? -1 : 0;
      for (const { level } of map.cells.flat())
        expect(level === null || (level >= least && level <= 1)).toBe(true);
      expect(await brokenLines(renderHeatPlain(map, { width, ascii }), width)).toEqual([]);
      expect(await brokenLines(renderHeatAnsi(map, { width, ascii }), width)).toEqual([]);
    }),
  );
});

test('a sparkline has a column a value, at most its width', () => {
  fc.assert(
    fc.property(fc.array(value), fc.integer({ min: 1, max: 30 }), (values, width) => {
      expect(sparkline(values, { width })).toHaveLength(Math.min(width, values.length));
    }),
  );
});

test('labels that a terminal would obey or join are taken apart', () => {
  expect(textWidth('a\u001B[31mb')).toBe(10);
  expect(textWidth('界é')).toBe(3);
  const chart = lineChart({
    series: [{ name: '\u001B[2J\nx', x: [1, 2], y: [1, 2] }],
    width: 30,
    height: 6,
  });
  expect(renderPlain(chart).at(-1)).toBe(String.raw`─── \x1b[2J\nx`);
});
