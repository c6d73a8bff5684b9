import { studentTQuantile, studentTTwoSided } from './distributions/student-t.js';
import { estimateOf } from './estimate.js';
import type { Estimate, EstimateFields, Interval } from './estimate.js';

/** `estimate +- t * standardError`, t the (1 + level) / 2 quantile of Student's t. */
export function tInterval(
  estimate: number,
  standardError: number,
  degreesOfFreedom: number,
  level: number,
): Interval {
  const reach = studentTQuantile(0.5 * (1 + level), degreesOfFreedom) * standardError;
  return [estimate - reach, estimate + reach];
}

/** What {@link tEstimate} takes: everything but what it works out. */
type TFields = Omit<EstimateFields, 'interval' | 'missing' | 'pValue' | 'test'> & {
  readonly standardError: number;
  readonly degreesOfFreedom: number;
};

/** An estimate with its t interval and the two-sided p-value of the t test that belongs to it. */
export function tEstimate(fields: TFields): Estimate {
  const { estimate, standardError, degreesOfFreedom, level } = fields;
  if (!Number.isFinite(estimate) || !Number.isFinite(standardError))
    return estimateOf({ ...fields, missing: 'not finite' });
  return estimateOf({
    ...fields,
    interval: tInterval(estimate, standardError, degreesOfFreedom, level),
    pValue: studentTTwoSided(estimate / standardError, degreesOfFreedom),
    test: 't',
  });
}
