import { describe, expect, test } from 'vitest';
import { evidenceOf } from '../../src/analysis/sweep/evidence.js';
import { internalizationDesign } from '../../data/internalization-design.js';
import { createStream } from '../../data/random/streams.js';
import { makeQuantity, seedValue } from '../../src/analysis/quantity.js';
import type { RunData } from '../../src/analysis/run-data.js';
import type { RunReader } from '../../src/analysis/run-reader.js';
import type { PanelAlignment } from '../../src/analysis/studies/alignment/cosines.js';
import { alignmentCourse } from '../../src/analysis/studies/alignment/course.js';
import { sweepQuantities, type SweptArm } from '../../src/analysis/sweep.js';
import { sweepTrends } from '../../src/analysis/sweep/trend.js';
import { sweepReport } from '../../src/report/text/sweep-report.js';
import type { SweepAxis } from '../../src/store/sweep-design.js';
import { newRun } from '../store/samples.js';

const axis: SweepAxis = { key: 'stages.0.batchSize', label: 'batch size', scale: 'log' };

/** An arm with the gaps of its seeds 0, 1, ...; null is a seed without a value. */
function point(value: number, gaps: readonly (number | null)[]): SweptArm {
  const quantity = (id: string, label: string, isGap: boolean) =>
    makeQuantity(
      {
        id,
        label,
        unit: 'accuracy',
        values: gaps.map((gap, seed) => seedValue(seed, gap ?? `seed ${seed} has not been run`)),
        null: isGap ? { kind: 'zero', label: '0' } : null,
        controls: [],
      },
      () => createStream(0, 'test'),
    );
  return {
    name: String(value),
    values: [value],
    folders: [],
    compared: [],
    begun: [],
    quantities: [quantity(sweepQuantities.strong, 'strong gap', true), quantity('size', 'size', false)],
  };
}

describe('the trend of a sweep', () => {
  // Seeds differ in level; each rises by 0.1 and then 0.02 less or more a doubling.
  const rise = (value: number, seed: number): number =>
    0.3 * seed + (0.1 + 0.02 * (seed - 1)) * Math.log2(value);
  const points = [64, 8, 16, 32].map((value) =>
    point(value, [rise(value, 0), rise(value, 1), rise(value, 2), value === 8 ? null : 0.9]),
  );

  test('is the mean of the slopes of the seeds that have all values, with a test of their order', () => {
    const trends = sweepTrends([axis], points);
    expect(trends).toMatchObject([
      { id: 'internalization.strongGap.trend', unit: 'accuracy per doubling', seeds: [0, 1, 2] },
    ]);
    const { slope, page } = trends[0]!;
    expect(slope).toMatchObject({ kind: 'value', seeds: 3 });
    if (slope.kind === 'value') expect(slope.estimate).toBeCloseTo(0.1, 12);
    // Every seed is in order: L = 3 (1 + 4 + 9 + 16), whose p-value is 2 / 24^3.
    expect(page).toMatchObject({ kind: 'value', test: 'page', statistic: 90 });
    if (page.kind === 'value') expect(page.pValue).toBeLessThan(0.001);
  });

  test('is per unit of a linear axis', () => {
    const straight = [1, 3, 4].map((value) => point(value, [2 * value, 1 + 2 * value]));
    const [trend] = sweepTrends([{ ...axis, scale: 'linear' }], straight);
    expect(trend).toMatchObject({ unit: 'accuracy per unit', slope: { estimate: expect.closeTo(2, 12) } });
  });

  test('needs three values, and seeds that have all of them', () => {
    expect(sweepTrends([axis], points.slice(0, 2))).toEqual([]);
    const apart = [8, 16, 32].map((value, i) => point(value, [i === 0 ? 1 : null, i === 0 ? null : 1]));
    expect(sweepTrends([axis], apart)).toMatchObject([
      { seeds: [], slope: { kind: 'absent', reason: 'no seed has a value in every arm' } },
    ]);
  });

  test('is a line of the report, which says that it is exploratory', () => {
    const shown = sweepReport(
      {
        name: 'sizes',
        description: '',
        experiment: 'x',
        axes: [axis],
        arms: points,
        trends: sweepTrends([axis], points),
        hash: '',
        predictions: [],
        verdicts: [],
        outcome: 'internalization.strongGap',
        mediator: null,
        evidence: evidenceOf([], 'internalization.strongGap', null, []),
      },
      400,
    );
    expect(shown.filter((line) => line.startsWith('trend'))).toEqual([
      expect.stringMatching(
        /^trend of the strong gap over batch size, 3 seeds that have all arms: \+0\.100 \[\+0\.050, \+0\.150\] accuracy per doubling; Page's test p = \de-4 \(exploratory, not adjusted\)$/,
      ),
    ]);
  });
});

describe('the trend of the tag-swap gap over training', () => {
  const run: RunData = {
    folder: 'runs/x/y-seed0',
    info: {
      ...newRun,
      formatVersion: 1,
      status: 'complete',
      started: '',
      updated: '',
      ended: '',
      stepsDone: 1,
      failure: null,
      process: { pid: 1, host: '', birth: '' },
    },
    tables: new Set(),
    configHash: '',
  };

  /** A panel of two variables a subset whose cosine with the reliable tag exceeds the other by a given gap at each step. */
  async function measured(gaps: Readonly<Record<number, number>>, none = 0.1) {
    const alignment: PanelAlignment = {
      steps: Object.keys(gaps).map(Number),
      design: internalizationDesign,
      tensors: [],
      has: () => true,
      cosines: ({ step }, subset, pairing) => {
        const isSwapped = pairing.startsWith('tag_swap');
        const isReliable = subset.startsWith('d1') !== isSwapped;
        const size = pairing.endsWith('mismatched') ? none : gaps[step]!;
        const first = subset.startsWith('d1') ? 0 : 2;
        return new Map([first, first + 1].map((variable) => [variable, isReliable ? size : 0]));
      },
    };
    const reader: RunReader = {
      run,
      gradients: async () => null,
      alignment: async () => alignment,
      metrics: () => Promise.reject(new Error('the course of alignment asks for no metrics')),
    };
    const values = await alignmentCourse.measure(run, reader);
    const specs = alignmentCourse.quantities;
    return { values, ids: typeof specs === 'function' ? specs(run, [values!]).map(({ id }) => id) : [] };
  }

  test('is the rank correlation of step and gap', async () => {
    const { values, ids } = await measured({ 0: 0, 10: 0.1, 20: 0.4, 90: 0.3, 100: 0.5 });
    expect(values).toMatchObject({ step10: [0.1, 0.1, 0.1, 0.1], trend: expect.closeTo(0.9, 12) });
    expect(ids).toEqual(['step0', 'step10', 'step20', 'step90', 'step100', 'trend']);
    const { values: falling } = await measured({ 0: 0.4, 10: 0.3, 20: 0.2, 30: 0.1 });
    expect(falling).toMatchObject({ trend: -1 });
  });

  test('is absent for a gap that never changes, and not asked of fewer than four checkpoints', async () => {
    expect((await measured({ 0: 1, 1: 1, 2: 1, 3: 1 })).values).toMatchObject({
      trend: 'one side is constant',
    });
    expect((await measured({ 0: 0, 10: 1, 20: 2 })).ids).toEqual(['step0', 'step10', 'step20']);
  });
});
