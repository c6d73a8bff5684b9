import type { Range } from './scale.js';
import type { Series } from './series.js';

/** What every chart of series on two axes takes. */
export interface PlotOptions {
  readonly series: readonly Series[];
  /** Columns, at least 20. */
  readonly width: number;
  /** Rows of the plot with its axes and their labels, at least 4; the legend comes on top of them. */
  readonly height: number;
  readonly xLabel?: string | undefined;
  readonly yLabel?: string | undefined;
  readonly logX?: boolean | undefined;
  readonly logY?: boolean | undefined;
  readonly xRange?: Range | undefined;
  readonly yRange?: Range | undefined;
  /** Draws with ASCII characters only. */
  readonly ascii?: boolean | undefined;
}
