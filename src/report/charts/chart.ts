/** A piece of a row in one colour: the colour index of its series, null for axes and text. */
export interface Segment {
  readonly text: string;
  readonly color: number | null;
}

export type ChartRow = readonly Segment[];

/** A chart made of text, coloured and printed by the caller (`renderPlain`, `renderAnsi`, a terminal browser). */
export interface Chart {
  /** Columns no row exceeds. */
  readonly width: number;
  /** The plot with its axes; blanks at the end of a row are left out. */
  readonly rows: readonly ChartRow[];
  /** What the marks stand for, and the values at the cursor. */
  readonly legend: readonly ChartRow[];
  /** What the plot leaves out, each within the width. */
  readonly notes: readonly string[];
  /** The values at the cursor; null without a cursor in the x range. */
  readonly readout: Readout | null;
}

export interface Readout {
  /** Where the cursor is, in units of the x axis. */
  readonly x: number;
  /** One a series, in their order: its sample nearest to the cursor; null before, after and in a gap. */
  readonly values: readonly {
    readonly name: string;
    readonly sample: { readonly x: number; readonly y: number } | null;
  }[];
}

/** Smallest chart that holds axes and a plot, in characters. */
const smallest = { width: 20, height: 4 } as const;

/** Stands in for a chart where the terminal is too narrow for one; null where it is wide enough. */
export const tooNarrow = (width: number): string | null =>
  width < smallest.width ? `(a chart takes ${smallest.width} columns)` : null;

/** @throws RangeError if the size is no pair of whole numbers of at least 20 columns and 4 rows */
export function checkSize(width: number, height: number = smallest.height): void {
  if (!Number.isInteger(width) || width < smallest.width)
    throw new RangeError(
      `a chart's width is a whole number of at least ${smallest.width} columns, not ${width}`,
    );
  if (!Number.isInteger(height) || height < smallest.height)
    throw new RangeError(
      `a chart's height is a whole number of at least ${smallest.height} rows, not ${height}`,
    );
}
