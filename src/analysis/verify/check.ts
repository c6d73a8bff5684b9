import type { Measured } from '../measures/measured.js';

/** One number of a check beside what it has to be. */
export interface Comparison {
  readonly name: string;
  readonly expected: number;
  /** The number that this machine gets, or why it gets none. */
  readonly measured: Measured;
  /** Largest difference allowed; 0 where `relation` is a bound. */
  readonly tolerance: number;
  /** `equal` within the tolerance, or at least or at most `expected`. */
  readonly relation: 'equal' | 'above' | 'below';
  readonly passed: boolean;
}

/** What a check found; `expected`, `measured`, `tolerance` and `relation` are those of its leading comparison. */
export interface VerificationResult extends Pick<
  Comparison,
  'expected' | 'measured' | 'tolerance' | 'relation'
> {
  /** Whether every comparison passed. */
  readonly passed: boolean;
  /** All comparisons in one line: what was measured, in brackets what it has to be. */
  readonly detail: string;
  readonly comparisons: readonly Comparison[];
}

/** A statement of the theory, or of a measure, with a number that is known independently. */
export interface Check {
  /** `V0` ... `V14`. */
  readonly id: string;
  /** What holds, in a few words. */
  readonly name: string;
  /** Deterministic: random draws come from streams of fixed seeds. */
  run(): VerificationResult;
}

/** `measured` has to be `expected` up to `tolerance`, in its own unit. */
export function near(name: string, measured: Measured, expected: number, tolerance: number): Comparison {
  const passed = typeof measured === 'number' && Math.abs(measured - expected) <= tolerance;
  return { name, expected, measured, tolerance, relation: 'equal', passed };
}

/** `measured` has to be `expected` up to the share `tolerance` of it. */
export function relative(name: string, measured: Measured, expected: number, tolerance: number): Comparison {
  return near(name, measured, expected, tolerance * Math.abs(expected));
}

/** `measured` has to be at least `least`. */
export function above(name: string, measured: Measured, least: number): Comparison {
  const passed = typeof measured === 'number' && measured >= least;
  return { name, expected: least, measured, tolerance: 0, relation: 'above', passed };
}

/** `measured` has to be at most `most`. */
export function below(name: string, measured: Measured, most: number): Comparison {
  const passed = typeof measured === 'number' && measured <= most;
  return { name, expected: most, measured, tolerance: 0, relation: 'below', passed };
}

/** A check's result; the first comparison leads. Throws a RangeError without any. */
export function resultOf(comparisons: readonly Comparison[]): VerificationResult {
  const lead = comparisons[0];
  if (lead === undefined) throw new RangeError('a check without comparisons');
  const { expected, measured, tolerance, relation } = lead;
  return {
    expected,
    measured,
    tolerance,
    relation,
    passed: comparisons.every(({ passed }) => passed),
    detail: comparisons.map(describe).join('; '),
    comparisons,
  };
}

function describe({ name, expected, measured, relation, passed }: Comparison): string {
  const bound = { equal: '', above: 'at least ', below: 'at most ' }[relation];
  const found = typeof measured === 'number' ? digits(measured) : `absent (${measured})`;
  return `${passed ? '' : 'FAILED: '}${name}: ${found} (${bound}${digits(expected)})`;
}

/** Six significant digits. */
function digits(value: number): string {
  return String(Number(value.toPrecision(6)));
}

/** The value itself. Throws an Error with the reason when there is none. */
export function present<T extends number | object>(value: T | string): T {
  if (typeof value === 'string') throw new Error(`absent: ${value}`);
  return value;
}
