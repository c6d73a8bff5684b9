/** A number, or one clause without a full stop that says why there is none. Never NaN. */
export type Measured = number | string;

/** `value`, or the reason when it is not finite. */
export function measured(value: number): Measured {
  return Number.isFinite(value) ? value : `it comes out as ${value}`;
}

/** The mean of `a` and `b`, or the reason of the first that is missing. */
export function meanOfTwo(a: Measured, b: Measured): Measured {
  if (typeof a === 'string') return a;
  return typeof b === 'string' ? b : measured((a + b) / 2);
}

/** The arithmetic mean of `values`; the reason without any. */
export function meanOf(values: ArrayLike<number> | string): Measured {
  if (typeof values === 'string') return values;
  if (values.length === 0) return 'there are no values';
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return measured(sum / values.length);
}
