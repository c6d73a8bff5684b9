import { checkRange, isShown, type Range, widenRange } from './scale.js';
import type { Values } from './series.js';

const bars = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const;
const plainBars = ['_', '.', '-', '=', '+', '*', '#', '@'] as const;

export interface SparklineOptions {
  /** Columns; as many as values by default. */
  readonly width?: number | undefined;
  /** What the lowest and the highest bar stand for; the ends of the values by default. */
  readonly range?: Range | undefined;
  readonly ascii?: boolean | undefined;
}

/**
 * Values as a row of bars in 8 heights, blanks for what is null or not finite. With more values than columns, each
 * column shows the one of its values that is farthest from the mean of all, so that no spike is lost.
 * Shorter than `width` if there are fewer values; a row of bars of middle height if all values are the same.
 *
 * @throws RangeError if `width` is no positive whole number or `range` is not in order
 */
export function sparkline(values: Values, options: SparklineOptions = {}): string {
  const { width = Math.max(1, values.length), ascii = false } = options;
  if (!Number.isInteger(width) || width < 1)
    throw new RangeError(`a sparkline takes a positive whole number of columns, not ${width}`);
  if (options.range !== undefined) checkRange(options.range, false, 'y');
  let [lowest, highest, mean, count] = [Infinity, -Infinity, 0, 0];
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (!isShown(value, false)) continue;
    if (value < lowest) lowest = value;
    if (value > highest) highest = value;
    // Not a sum: that of the largest numbers overflows.
    count++;
    mean += value / count - mean / count;
  }
  if (lowest > highest) return ' '.repeat(Math.min(width, values.length));
  const [low, high] = options.range ?? widenRange(lowest, highest, false);
  const columns = Math.min(width, values.length);
  const glyphs = ascii ? plainBars : bars;
  return Array.from({ length: columns }, (_, column) => {
    const from = Math.floor((column * values.length) / columns);
    const to = Math.floor(((column + 1) * values.length) / columns);
    const value = farthest(values, from, to, mean);
    if (value === null) return ' ';
    const unit = (value / 2 - low / 2) / (high / 2 - low / 2);
    return glyphs[Math.max(0, Math.min(glyphs.length - 1, Math.floor(unit * glyphs.length)))]!;
  }).join('');
}

function farthest(values: Values, from: number, to: number, mean: number): number | null {
  let best: number | null = null;
  for (let i = from; i < to; i++) {
    const value = values[i];
    if (!isShown(value, false)) continue;
    if (best === null || Math.abs(value - mean) > Math.abs(best - mean)) best = value;
  }
  return best;
}
