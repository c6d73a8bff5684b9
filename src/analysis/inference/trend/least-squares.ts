import { Matrix } from 'ml-matrix';
import { mean } from 'simple-statistics';
import { assertEqualLength, assertProbability, unusable } from '../check.js';
import { absent, estimateOf } from '../estimate.js';
import type { Absent, Estimate } from '../estimate.js';
import type { IntervalOptions } from '../seeds/mean.js';
import { moments } from '../spread.js';
import { tEstimate } from '../t-interval.js';
import { standardisedFit } from './standardised-fit.js';

/** A column of the regression. */
export interface Predictor {
  readonly name: string;
  /** `[row]`. */
  readonly values: ArrayLike<number>;
}

/** What a regression says of one predictor, the others held fixed. */
export interface Coefficient {
  readonly name: string;
  /** Change of the response per unit of the predictor, t interval and t test. */
  readonly effect: Estimate;
  /** Correlation of response and predictor after both are cleared of the other predictors: t / sqrt(t^2 + df). */
  readonly partialCorrelation: number | null;
  /**
   * By how much collinearity with the other predictors inflates the variance of the effect: 1 is none; above 10 the
   * effects of these predictors can hardly be told apart.
   */
  readonly varianceInflation: number;
}

/** A fitted regression. */
export interface LeastSquaresValue {
  readonly kind: 'value';
  readonly coefficients: readonly Coefficient[];
  /** Expected response where all predictors are 0. */
  readonly intercept: Estimate;
  /** sqrt(residual sum of squares / degrees of freedom), in the unit of the response. */
  readonly residualStandardDeviation: number;
  readonly rSquared: number;
  /** rows - predictors - 1. */
  readonly degreesOfFreedom: number;
  readonly rows: number;
}

/** Residuals of less than this share of the sum of squares are rounding. */
const exact = 1e-24;

/**
 * Ordinary least squares with an intercept: partial effects of several predictors (log kappa, log updates, stage-1
 * loss, ...) on a response, with t intervals on rows - predictors - 1 degrees of freedom. `response`: `[row]`. A
 * row is one independent run: where the same seeds occur at several settings use `slopeOverSeeds`, or the rows are
 * not independent and the intervals too narrow. By singular value decomposition of the standardised predictors.
 *
 * Absent when there are fewer rows than predictors + 2, a predictor or the response is constant or not finite, or
 * predictors are collinear (the reason names them). Effects have no interval when the fit is exact.
 * Throws a RangeError when the columns differ in length or there is no predictor, or for a level outside (0, 1).
 */
export function leastSquares(
  response: ArrayLike<number>,
  predictors: readonly Predictor[],
  options: IntervalOptions = {},
): LeastSquaresValue | Absent {
  const { level = 0.95 } = options;
  assertProbability('level', level);
  if (predictors.length === 0) throw new RangeError('a regression without predictors');
  const columns = predictors.map(({ name, values }) => column(name, values, response));
  const y = column('the response', response, response);
  const n = response.length;
  const degreesOfFreedom = n - predictors.length - 1;
  if (degreesOfFreedom < 1) return absent(`${n} rows, at least ${predictors.length + 2} needed`);
  for (const { name, reason, scale } of [y, ...columns]) {
    if (reason !== null) return absent(`${name}: ${reason}`);
    if (scale === 0) return absent(`${name} is the same in all ${n} rows`);
  }

  const fit = standardisedFit(
    columns.map(({ centred, scale }) => centred.map((value) => value / scale)),
    y.centred,
  );
  if (fit.kind === 'collinear') {
    return absent(`collinear predictors: ${fit.columns.map((j) => columns[j]!.name).join(', ')}`);
  }
  const { slopes, inverse, residuals } = fit;
  const squares = y.centred.reduce((sum, value) => sum + value * value, 0);
  const exactFit = residuals <= exact * squares;
  const deviation = exactFit ? 0 : Math.sqrt(residuals / degreesOfFreedom);
  const estimateWith = (estimate: number, factor: number): Estimate => {
    const standardError = deviation * factor;
    const common = { estimate, standardError, level, method: 'least-squares' } as const;
    const units = { unit: 'seed', units: n, seeds: n } as const;
    return exactFit
      ? estimateOf({ ...common, ...units, missing: 'the fit is exact' })
      : tEstimate({ ...common, ...units, degreesOfFreedom });
  };
  const coefficients = columns.map(({ name, scale }, j): Coefficient => {
    const variance = inverse.get(j, j);
    const t = slopes[j]! / (deviation * Math.sqrt(variance));
    return {
      name,
      effect: estimateWith(slopes[j]! / scale, Math.sqrt(variance) / scale),
      partialCorrelation: exactFit ? null : t / Math.sqrt(t * t + degreesOfFreedom),
      varianceInflation: (n - 1) * variance,
    };
  });
  // Where all predictors are 0, in standard deviations from their means.
  const origin = columns.map(({ centre, scale }) => -centre / scale);
  const intercept = y.centre + origin.reduce((sum, at, j) => sum + at * slopes[j]!, 0);
  const at = Matrix.columnVector(origin);
  const leverage = at.transpose().mmul(inverse).mmul(at).get(0, 0);
  return {
    kind: 'value',
    coefficients,
    intercept: estimateWith(intercept, Math.sqrt(1 / n + leverage)),
    residualStandardDeviation: deviation,
    rSquared: 1 - (exactFit ? 0 : residuals / squares),
    degreesOfFreedom,
    rows: n,
  };
}

interface Column {
  readonly name: string;
  readonly reason: string | null;
  readonly centre: number;
  /** Sample standard deviation. */
  readonly scale: number;
  readonly centred: readonly number[];
}

function column(name: string, values: ArrayLike<number>, response: ArrayLike<number>): Column {
  assertEqualLength(`${name} and the response`, values, response);
  const reason = unusable(values, 1, 'seed');
  if (reason !== null) return { name, reason, centre: 0, scale: 0, centred: [] };
  const numbers = Array.from(values);
  const centre = mean(numbers);
  const scale = moments(numbers).standardDeviation ?? 0;
  return { name, reason: null, centre, scale, centred: numbers.map((value) => value - centre) };
}
