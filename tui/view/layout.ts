import type { Box } from './style.js';

/** Rows that a figure keeps, whatever stands below it. */
const leastFigure = 9;

/** Where a figure goes with lines below it: the lines give way when both do not fit. */
export function above(
  box: Box,
  below: readonly string[],
): { readonly figure: Box; readonly below: readonly string[] } {
  const room = Math.max(0, box.height - Math.min(leastFigure, box.height));
  const kept = below.slice(0, Math.min(below.length, room));
  return { figure: { width: box.width, height: box.height - kept.length }, below: kept };
}

/** A name of at most `width` columns, cut in its middle: tensors differ at both ends. */
export function abbreviate(name: string, width: number, ellipsis: string): string {
  if (name.length <= width) return name;
  const tail = Math.min(10, Math.floor(width / 2));
  return `${name.slice(0, width - tail - 1)}${ellipsis}${name.slice(name.length - tail)}`;
}
