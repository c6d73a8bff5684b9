import { fitText } from '../../src/report/charts/text-width.js';
import { paint, signs, type Box, type Style } from './style.js';

/** Rows that a figure keeps, whatever stands below it. */
const leastFigure = 9;

/** Where a figure goes with lines below it: the lines give way when both do not fit. */
export function figureAbove(
  box: Box,
  below: readonly string[],
  style: Style,
): { readonly figure: Box; readonly below: readonly string[] } {
  const room = Math.max(0, box.height - Math.min(leastFigure, box.height));
  const kept = cutLines(below, room, style, box.height - room);
  return { figure: { width: box.width, height: box.height - kept.length }, below: kept };
}

/** A line of at most `width` columns, with an ellipsis for what is left out. */
export const cut = (line: string, width: number, style: Style): string =>
  fitText(line, width, signs(style).more).trimEnd();

/** At most `height` lines of a panel that has `others` too; the last one then says how many are left out. */
export function cutLines(
  lines: readonly string[],
  height: number,
  style: Style,
  others = 0,
): readonly string[] {
  if (lines.length <= height || height < 1) return lines.slice(0, Math.max(0, height));
  const left = lines.length - height + 1;
  return [
    ...lines.slice(0, height - 1),
    paint(moreText(left, 'line', lines.length + others, style), 'dim', style),
  ];
}

/** `… 110 more rows`, and how they are seen: by the height where it is printed, else by a key where there is one. */
export function moreText(
  left: number,
  what: 'line' | 'row',
  height: number,
  style: Style,
  key: string | null = null,
): string {
  const how = style.printed === true ? ` (--height ${height})` : key === null ? '' : ` (${key})`;
  return `${signs(style).more} ${left} more ${what}${left === 1 ? '' : 's'}${how}`;
}

/** A name of at most `width` columns, cut in its middle: tensors differ at both ends. */
export function abbreviate(name: string, width: number, ellipsis: string): string {
  if (name.length <= width) return name;
  const tail = Math.min(10, Math.floor(width / 2));
  return `${name.slice(0, width - tail - 1)}${ellipsis}${name.slice(name.length - tail)}`;
}
