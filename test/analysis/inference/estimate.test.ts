import { describe, expect, it } from 'vitest';
import { absent, estimateOf } from '../../../src/analysis/inference/estimate.js';
import type { EstimateFields } from '../../../src/analysis/inference/estimate.js';

const fields: EstimateFields = {
  estimate: 1,
  interval: [0, 2],
  method: 't',
  level: 0.95,
  unit: 'seed',
  units: 5,
  seeds: 5,
};

describe('estimateOf', () => {
  it('fills in what is not given with null, and survives JSON', () => {
    const estimate = estimateOf(fields);
    expect(estimate).toEqual({
      kind: 'value',
      ...fields,
      missing: null,
      standardError: null,
      degreesOfFreedom: null,
      pValue: null,
      test: null,
      resampling: null,
    });
    expect(JSON.parse(JSON.stringify(estimate))).toEqual(estimate);
  });

  it('lets no number through that is not finite', () => {
    expect(estimateOf({ ...fields, estimate: NaN })).toEqual(absent('the estimate comes out as NaN'));
    expect(estimateOf({ ...fields, standardError: Infinity }).kind).toBe('absent');
    expect(estimateOf({ ...fields, pValue: NaN })).toEqual(absent('the p comes out as NaN'));
    expect(estimateOf({ ...fields, interval: [-Infinity, 0] })).toEqual(
      absent('the interval comes out as [-Infinity, 0]'),
    );
  });

  it('wants an interval or the reason why there is none, never both', () => {
    expect(() => estimateOf({ ...fields, interval: null })).toThrow('either an interval or the reason');
    expect(() => estimateOf({ ...fields, missing: 'why' })).toThrow('either an interval or the reason');
    expect(() => estimateOf({ ...fields, interval: [2, 0] })).toThrow('interval [2, 0] is upside down');
  });
});
