import type { ChartRow, Segment } from './chart.js';
import { fitText, textWidth } from './text-width.js';

/** One thing a legend explains: a mark, what it stands for, and a value to keep whole. */
export interface LegendEntry {
  readonly mark: string;
  readonly name: string;
  readonly value?: string | undefined;
  readonly color: number | null;
}

const between = 3;

/** Entries side by side in rows of at most `width` columns; names are cut to fit. */
export function legendRows(entries: readonly LegendEntry[], width: number, ellipsis: string): ChartRow[] {
  const rows: Segment[][] = [];
  let used = 0;
  for (const entry of entries) {
    const segments = entrySegments(entry, width, ellipsis);
    const size = segments.reduce((sum, { text }) => sum + textWidth(text), 0);
    const row = rows.at(-1);
    if (row !== undefined && used + between + size <= width) {
      row.push({ text: ' '.repeat(between), color: null }, ...segments);
      used += between + size;
    } else {
      rows.push([...segments]);
      used = size;
    }
  }
  return rows;
}

function entrySegments(
  { mark, name, value, color }: LegendEntry,
  width: number,
  ellipsis: string,
): Segment[] {
  const start = mark === '' ? '' : `${mark} `;
  const end = value === undefined ? '' : `${name === '' ? '' : ' '}${value}`;
  const room = Math.max(0, width - textWidth(start) - textWidth(end));
  const text = fitText(name, Math.min(room, textWidth(name)), ellipsis);
  return [
    { text: start, color },
    { text: `${text}${end}`, color: null },
  ].filter((segment) => segment.text !== '');
}
