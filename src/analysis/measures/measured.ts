/** A number, or one clause without a full stop that says why there is none. Never NaN. */
export type Measured = number | string;

/** `value`, or the reason when it is not finite. */
export function measured(value: number): Measured {
  return Number.isFinite(value) ? value : `it comes out as ${value}`;
}

/** The arithmetic mean of `values`; the reason without any. */
export function meanOf(values: ArrayLike<number> | string): Measured {
  if (typeof values === 'string') return values;
  if (values.length === 0) return 'there are no values';
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return measured(sum / values.length);
}
