import type { IntervalMethod, TestName } from './methods.js';

/** A number that could not be had, and why: one clause without a full stop, fit to be printed after "absent: ". */
export interface Absent {
  readonly kind: 'absent';
  readonly reason: string;
}

/** `[low, high]` in the unit of the quantity, `low <= high`, both finite. */
export type Interval = readonly [low: number, high: number];

/**
 * What counts as one independent observation. `seed`: a whole run (data split, initialisation, order); a statement
 * about the method. `entity`: a variable within the given seeds; a statement about those trained models only.
 */
export type Unit = 'seed' | 'entity';

/** How a result that depends on random draws can be had again. */
export interface Resampling {
  /** Random resamples or permutations drawn. */
  readonly draws: number;
  /** State of the random stream before the first draw, for `restoreStream`. */
  readonly streamState: readonly number[];
}

/** A point estimate with its uncertainty. Every number in it is finite; it is a plain object that JSON can hold. */
export interface EstimateValue {
  readonly kind: 'value';
  /** The point estimate. */
  readonly estimate: number;
  /** Confidence interval; null where there is none, for the reason in {@link EstimateValue.missing}. */
  readonly interval: Interval | null;
  /** Why `interval` is null, as in {@link Absent.reason}; null when there is an interval. */
  readonly missing: string | null;
  /** Nominal coverage of `interval`, 0.95 as a rule. */
  readonly level: number;
  /** How `interval` is made. */
  readonly method: IntervalMethod;
  /** Standard error in the unit of the estimate; null where the data or the method give none. */
  readonly standardError: number | null;
  /** Degrees of freedom where `interval` is `estimate +- t * standardError`; null otherwise. */
  readonly degreesOfFreedom: number | null;
  /** Two-sided p-value of "the true value is 0"; null where no test goes with the interval. */
  readonly pValue: number | null;
  /** The test behind `pValue`; null with it. */
  readonly test: TestName | null;
  /** What the interval generalises over. */
  readonly unit: Unit;
  /** Number of independent units of that kind. */
  readonly units: number;
  /** Number of seeds in the data; equal to `units` when the unit is the seed. */
  readonly seeds: number;
  /** Random draws behind the interval; null for a formula or an exact enumeration. */
  readonly resampling: Resampling | null;
}

/** What every number that is printed, drawn or written carries. */
export type Estimate = EstimateValue | Absent;

/** `absent('one seed')`: a result that is not there, with the reason. */
export function absent(reason: string): Absent {
  return { kind: 'absent', reason };
}

/** The fields of {@link EstimateValue} that have no default. */
type Mandatory = 'estimate' | 'method' | 'level' | 'unit' | 'units' | 'seeds';

/** What {@link estimateOf} takes: the required fields, and any of the others. */
export type EstimateFields = Pick<EstimateValue, Mandatory> &
  Partial<Omit<EstimateValue, Mandatory | 'kind'>>;

/**
 * An {@link Estimate} of `fields`; those left out are null. An estimate, standard error, p-value or interval end
 * that is not finite makes the whole absent, so that no NaN gets past this door. Throws a RangeError when the
 * interval is null without a reason, has a reason beside it, or is upside down.
 */
export function estimateOf(fields: EstimateFields): Estimate {
  const value: EstimateValue = {
    kind: 'value',
    interval: null,
    missing: null,
    standardError: null,
    degreesOfFreedom: null,
    pValue: null,
    test: null,
    resampling: null,
    ...fields,
  };
  const numbers = { estimate: value.estimate, 'standard error': value.standardError, p: value.pValue };
  for (const [name, number] of Object.entries(numbers)) {
    if (number !== null && !Number.isFinite(number)) return absent(`the ${name} comes out as ${number}`);
  }
  if ((value.interval === null) === (value.missing === null)) {
    throw new RangeError('an estimate has either an interval or the reason why there is none');
  }
  if (value.interval !== null) {
    const [low, high] = value.interval;
    if (!Number.isFinite(low) || !Number.isFinite(high)) {
      return absent(`the interval comes out as [${low}, ${high}]`);
    }
    if (low > high) throw new RangeError(`interval [${low}, ${high}] is upside down`);
  }
  return value;
}
