/** What the arm of a sweep can have at the key of an axis. */
export type AxisValue = number | string | boolean;

/** A key of the config that a sweep varies. */
export interface SweepAxis {
  readonly key: string;
  /** For figures and tables. */
  readonly label: string;
  /** Of the axis in figures and trends. */
  readonly scale: 'linear' | 'log';
}

/** The value of an arm on the only axis of a sweep, where that is a number; null elsewhere. */
export function axisNumber({ values }: { readonly values: readonly AxisValue[] }): number | null {
  const [value] = values;
  return values.length === 1 && typeof value === 'number' ? value : null;
}
