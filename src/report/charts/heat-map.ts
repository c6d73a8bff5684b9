import { checkRange, isShown, type Range, widenRange } from './scale.js';

/** `diverging`: from a negative to the positive extreme, 0 in the middle; `sequential`: from low to high. */
export type HeatScale = 'diverging' | 'sequential';

export interface HeatMapOptions {
  /** `[row][column]`; null, NaN and infinities are cells without a value. */
  readonly values: readonly (readonly (number | null)[])[];
  readonly rowLabels: readonly string[];
  readonly columnLabels: readonly string[];
  readonly scale: HeatScale;
  /** What the ends of the scale stand for; values beyond have the level of the end. By default the data's ends. */
  readonly range?: Range | undefined;
}

export interface HeatCell {
  readonly value: number | null;
  /** In [-1, 1] on a diverging scale, in [0, 1] on a sequential one; null without a value. */
  readonly level: number | null;
}

export interface HeatMap {
  readonly scale: HeatScale;
  /** What the ends of the scale stand for; symmetric around 0 on a diverging one. */
  readonly range: Range;
  readonly rowLabels: readonly string[];
  readonly columnLabels: readonly string[];
  /** `[row][column]` */
  readonly cells: readonly (readonly HeatCell[])[];
}

/**
 * The levels of a matrix. On a diverging scale a value v has level v / m with m the largest size of a value (or of
 * an end of `range`), so that equal sizes of either sign are equally strong; on a sequential one
 * (v - low) / (high - low), the middle if all values are the same.
 *
 * @throws RangeError if labels and values differ in number, rows in length, or `range` is not in order
 */
export function heatMap({ values, rowLabels, columnLabels, scale, range }: HeatMapOptions): HeatMap {
  if (values.length !== rowLabels.length)
    throw new RangeError(`${values.length} rows of values, but ${rowLabels.length} labels`);
  for (const [i, row] of values.entries())
    if (row.length !== columnLabels.length)
      throw new RangeError(
        `row ${rowLabels[i]}: ${row.length} values, but ${columnLabels.length} labels of columns`,
      );
  if (range !== undefined) checkRange(range, false, 'value');
  const ends = rangeOf(range ?? extent(values), scale, range === undefined);
  const [low, high] = ends;
  return {
    scale,
    range: ends,
    rowLabels,
    columnLabels,
    cells: values.map((row) =>
      row.map((value): HeatCell => {
        if (!isShown(value, false)) return { value: null, level: null };
        // No negative zero: it would get a sign.
        if (scale === 'diverging') return { value, level: clamp(value / high, -1) + 0 };
        return { value, level: clamp((value / 2 - low / 2) / (high / 2 - low / 2), 0) };
      }),
    ),
  };
}

const clamp = (level: number, least: number): number => Math.max(least, Math.min(1, level));

function rangeOf([low, high]: Range, scale: HeatScale, widen: boolean): Range {
  if (scale === 'sequential') return widen ? widenRange(low, high, false) : [low, high];
  // The smallest numbers have no quotients.
  const size = Math.max(Math.abs(low), Math.abs(high));
  return size < 1e-300 ? [-1, 1] : [-size, size];
}

function extent(values: HeatMapOptions['values']): Range {
  const shown = values.flat().filter((value) => isShown(value, false));
  if (shown.length === 0) return [0, 1];
  return [
    shown.reduce((a, b) => Math.min(a, b), Infinity),
    shown.reduce((a, b) => Math.max(a, b), -Infinity),
  ];
}
