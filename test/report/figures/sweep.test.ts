import { Resvg } from '@resvg/resvg-js';
import { describe, expect, test } from 'vitest';
import { evidenceOf, explanationQuantities } from '../../../src/analysis/sweep/evidence.js';
import { createStream } from '../../../data/random/streams.js';
import { makeQuantity, seedValue, type Quantity } from '../../../src/analysis/quantity.js';
import { accuracyQuantity, sweepQuantities, type SweepAnalysis } from '../../../src/analysis/sweep.js';
import { sweepCsv, sweepRows } from '../../../src/analysis/sweep/table.js';
import { loadPlotter } from '../../../src/report/figures/plot-library.js';
import { toPng } from '../../../src/report/figures/svg.js';
import { evidenceReport } from '../../../src/report/text/evidence-report.js';
import { armsFigure } from '../../../src/report/figures/arms-figure.js';
import { sweepFigure } from '../../../src/report/figures/sweep-figure.js';
import { sweepReport } from '../../../src/report/text/sweep-report.js';

function quantity(id: string, label: string, values: readonly number[], isGap: boolean): Quantity {
  return makeQuantity(
    {
      id,
      label,
      unit: 'accuracy',
      values: values.map((value, seed) => seedValue(seed, value)),
      null: isGap ? { kind: 'zero', label: '0' } : null,
      controls: [],
    },
    () => createStream(0, 'test'),
  );
}

/** A sweep of two values with three seeds and one with a single seed. */
const sweep: SweepAnalysis = {
  name: 'pairs',
  description: '',
  experiment: 'mnist-qa',
  axes: [{ key: 'data.variables', label: 'pairs', scale: 'log' }],
  trends: [],
  hash: '',
  predictions: [],
  verdicts: [],
  outcome: 'internalization.strongGap',
  mediator: null,
  evidence: evidenceOf([], 'internalization.strongGap', null, []),
  arms: (
    [
      [8, [0.1, -0.2, 0.1]],
      [100, [0.3, 0.4, 0.35]],
      [1000, [0.5]],
    ] as const
  ).map(([value, gaps]) => ({
    name: String(value),
    values: [value],
    compared: [],
    begun: [],
    folders: gaps.map((_, seed) => `runs/mnist-qa/pairs-${value}-seed${seed}`),
    quantities: [
      quantity(sweepQuantities.strong, 'strong gap, accuracy', gaps, true),
      quantity(
        accuracyQuantity('d1consis'),
        'accuracy of d1consis',
        gaps.map((gap) => 0.4 + gap / 2),
        false,
      ),
      quantity(
        accuracyQuantity('d2consis'),
        'accuracy of d2consis',
        gaps.map((gap) => 0.4 - gap / 2),
        false,
      ),
    ],
  })),
};

describe('a sweep', () => {
  test('is a figure with the points, their intervals and the names of the curves', async () => {
    const { svg, width } = sweepFigure(sweep, await loadPlotter());
    // Numbers cut to three decimals, as they differ in the last ones between machines.
    const normal = svg
      .replaceAll(/\d+\.\d{4,}/g, (number) => Number(number).toFixed(3))
      .replaceAll('><', '>\n<');
    await expect(`${normal}\n`).toMatchFileSnapshot('sweep.svg');
    expect(svg.match(/<circle/g)).toHaveLength(9);
    const png = Buffer.from(toPng({ svg, width, height: 1 }));
    expect(png.subarray(1, 4).toString()).toBe('PNG');
    expect(png.readUInt32BE(16)).toBe(2 * width);
    // Another reading of the SVG finds no fault with it.
    expect(new Resvg(svg).width).toBe(width);
  });

  test('is a table with intervals, SDs and seeds; a single seed has no interval', () => {
    expect(sweepReport(sweep, 100)).toMatchInlineSnapshot(`
      [
        "pairs: data.variables",
        "",
        "pairs  strong gap, accuracy  95 % interval        SD      p  seeds",
        "    8                     0  [-0.430, +0.430]  0.173  1.000  3 (0-2)",
        "  100                +0.350  [+0.226, +0.474]  0.050  0.007  3 (0-2)",
        " 1000                +0.500  none                            1 (0)",
        "",
        "pairs  accuracy of d1consis  accuracy of d2consis",
        "    8                 0.400                 0.400",
        "  100                 0.575                 0.225",
        " 1000                 0.650                 0.150",
      ]
    `);
  });

  test('is CSV with empty cells where there is no number', () => {
    const lines = sweepCsv(sweepRows(sweep)).trimEnd().split('\n');
    expect(lines[0]).toBe('arm,value,quantity,label,unit,seeds,mean,low,high,standard_deviation,p');
    expect(lines).toHaveLength(10);
    expect(lines[7]).toBe('1000,1000,internalization.strongGap,"strong gap, accuracy",accuracy,1,0.5,,,,');
  });

  test('has a second figure, of outcome and mediator by arm and of what may be behind them, run by run', async () => {
    const values = (id: string, scale: number) =>
      quantity(id, id, [scale, 2 * scale, 4 * scale, 3 * scale], true);
    const explained = [
      ...Object.values(explanationQuantities).map((id, i) => [id, i + 1] as const),
      ['gap', 1] as const,
      ['alignment', 2] as const,
    ];
    const arms = ['small', 'large'].map((name, i) => ({
      ...sweep.arms[0]!,
      name,
      quantities: explained.map(([id, scale]) => values(id, scale + i)),
    }));
    const evidence = evidenceOf(arms, 'gap', 'alignment', [{ arm: 'small', minus: 'large' }]);
    const { svg } = armsFigure(evidence, 'two', await loadPlotter());
    // Two arms in two panels; in four more each arm and each of its four runs.
    expect(svg.match(/<circle/g)).toHaveLength(2 * 2 + 4 * (2 + 8));
    expect(svg.match(/not told apart from the others/g)).toHaveLength(4);
    for (const name of ['small (1)', 'large (2)']) expect(svg.split(name)).toHaveLength(3);
    expect(new Resvg(svg).width).toBe(800);
    const text = evidenceReport(evidence, 400).join('\n');
    expect(text).toContain(
      'log kappa, log updates, training loss and distance from the start are not told apart',
    );
    expect(text).toMatch(/Mediation by the alignment, over 8 runs/);
  });
});
