import { createStream } from '../../../data/random/streams.js';
import type { Estimate } from '../inference/estimate.js';
import { absent } from '../inference/estimate.js';
import type { TestResult } from '../inference/test-result.js';
import { pageTest } from '../inference/trend/page.js';
import { slopeOverSeeds } from '../inference/trend/slope-over-seeds.js';
import { axisNumber, type SweepAxis } from '../../store/sweep-design.js';
import type { SweptArm } from '../sweep.js';

/** How a gap goes along the axis of a sweep. Exploratory: p-values are not adjusted for the number of gaps. */
export interface SweepTrend {
  /** Unique in the sweep: that of the gap with `.trend`. */
  readonly id: string;
  /** Id of the gap. */
  readonly quantity: string;
  readonly label: string;
  /** Unit of the slope. */
  readonly unit: string;
  /** Seeds with a value in every arm, which are compared with themselves; the others do not count. */
  readonly seeds: readonly number[];
  /** Mean over seeds of each seed's least-squares slope: per unit of the axis, on a logarithmic one per doubling. */
  readonly slope: Estimate;
  /** Page's test of a rise or fall in the order of the values, two-sided. */
  readonly page: TestResult;
}

/**
 * Trends of the gaps, the quantities that have a null, over the only axis of a sweep; none where its values are no numbers,
 * and for fewer than 3 of them, which have an order but no trend.
 */
export function sweepTrends(axes: readonly SweepAxis[], arms: readonly SweptArm[]): SweepTrend[] {
  const points = arms.flatMap((arm) => {
    const value = axisNumber(arm);
    return value === null ? [] : [{ value, quantities: arm.quantities }];
  });
  if (axes.length !== 1 || points.length < arms.length || points.length < 3) return [];
  const values = points.map(({ value }) => value);
  // With named arms a value stands for several of them.
  if (new Set(values).size < values.length) return [];
  const { scale } = axes[0]!;
  const ordered = points.toSorted((a, b) => a.value - b.value);
  const axis = ordered.map(({ value }) => (scale === 'log' ? Math.log2(value) : value));
  return ordered[0]!.quantities.flatMap(({ id, label, unit, null: none }): SweepTrend[] => {
    if (none === null) return [];
    const byArm = ordered.map(
      ({ quantities }) =>
        new Map(quantities.find((own) => own.id === id)?.seeds.map(({ seed, value }) => [seed, value])),
    );
    const rows = [...byArm[0]!.keys()].flatMap((seed) => {
      const values = byArm.flatMap((arm) => arm.get(seed) ?? []);
      return values.length === ordered.length ? [{ seed, values }] : [];
    });
    const runs = rows.map(({ values }) => ({
      response: values,
      predictors: [{ name: 'axis', values: axis }],
    }));
    return [
      {
        id: `${id}.trend`,
        quantity: id,
        label,
        unit: `${unit} per ${scale === 'log' ? 'doubling' : 'unit'}`,
        seeds: rows.map(({ seed }) => seed),
        slope: slopeOverSeeds(runs).get('axis') ?? absent('no seed has a value in every arm'),
        page: pageTest(
          rows.map(({ values }) => values),
          createStream(0, `analysis/sweep/${id}/trend`),
        ),
      },
    ];
  });
}
