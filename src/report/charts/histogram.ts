import { type Chart, checkSize, type Segment } from './chart.js';
import { noDataRows } from './no-data.js';
import { checkRange, isShown, type Range, widenRange } from './scale.js';
import type { Values } from './series.js';
import { tickLabels } from './tick-labels.js';
import { ticksAround } from './ticks.js';

export interface HistogramOptions {
  /** Columns, at least 20. */
  readonly width: number;
  /** About how many bins; 10 by default. */
  readonly bins?: number | undefined;
  /** Values outside are left out; the range of the values by default. */
  readonly range?: Range | undefined;
  /** Colour index of the bars. */
  readonly color?: number | undefined;
  /** Draws with ASCII characters only. */
  readonly ascii?: boolean | undefined;
}

const eighths = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'] as const;

/**
 * Counts of values in bins with round edges, one row a bin from the lowest: its edges `[from, to)` (the last with
 * its end), a bar, the count. A note counts what is left out.
 *
 * @throws RangeError if the chart is narrower than 20 columns, the bins are not a whole number from 1 to 1000, or
 *   `range` is not in order
 */
export function histogram(values: Values, options: HistogramOptions): Chart {
  const { width, bins = 10, color = 0, ascii = false } = options;
  checkSize(width);
  if (!Number.isInteger(bins) || bins < 1 || bins > 1000)
    throw new RangeError(`a histogram has from 1 to 1000 bins, not ${bins}`);
  if (options.range !== undefined) checkRange(options.range, false, 'x');
  const [low, high] = options.range ?? [-Infinity, Infinity];
  const shown = Array.from({ length: values.length }, (_, i) => values[i])
    .filter((value) => isShown(value, false))
    .filter((value) => value >= low && value <= high);
  const left = values.length - shown.length;
  const notes = left === 0 ? [] : [`left out: ${left}`];
  if (shown.length === 0) return { width, rows: noDataRows(width, 4), legend: [], notes, readout: null };

  const least = shown.reduce((a, b) => Math.min(a, b), Infinity);
  const most = shown.reduce((a, b) => Math.max(a, b), -Infinity);
  const span = options.range ?? widenRange(least, most, false);
  const round = ticksAround(span, bins);
  const edges = round.length >= 2 ? round : span;
  const counts = countBetween(shown, edges);
  const labels = tickLabels(edges, false);
  const labelWidth = Math.max(...labels.map((label) => label.length));
  const countWidth = String(Math.max(...counts)).length;
  const room = Math.max(0, width - 2 * labelWidth - countWidth - 4);
  const rows = counts.map((count, i): Segment[] => {
    const edge = `${labels[i]!.padStart(labelWidth)} ${labels[i + 1]!.padStart(labelWidth)} `.slice(0, width);
    const bar = barOf(count / Math.max(...counts), room, ascii);
    const number = ` ${count}`.slice(0, Math.max(0, width - edge.length - bar.length));
    return [
      { text: edge, color: null },
      { text: bar, color },
      { text: number, color: null },
    ].filter(({ text }) => text !== '');
  });
  return { width, rows, legend: [], notes, readout: null };
}

/** How many values lie between each edge and the next, the last with its end. */
function countBetween(values: readonly number[], edges: readonly number[]): number[] {
  const counts = new Array<number>(edges.length - 1).fill(0);
  for (const value of values) {
    const next = edges.findIndex((edge, i) => i > 0 && value < edge);
    counts[next === -1 ? counts.length - 1 : next - 1]!++;
  }
  return counts;
}

function barOf(share: number, room: number, ascii: boolean): string {
  if (ascii) return '#'.repeat(Math.round(share * room));
  const parts = Math.round(share * room * 8);
  return '█'.repeat(Math.floor(parts / 8)) + eighths[parts % 8]!;
}
