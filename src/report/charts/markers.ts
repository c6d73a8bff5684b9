import type { CellGrid } from './cell-grid.js';
import { fitText, textWidth } from './text-width.js';
import { formatValue } from './tick-labels.js';

/** A vertical line at a value of x, e.g. the start of a stage. */
export interface Marker {
  readonly x: number;
  readonly label: string;
}

/** A label shorter than this says nothing when it is cut. */
const shortest = 3;

/**
 * Writes the labels of markers in a row, each from its column on and up to the next, and returns a note of those
 * without room (of all, if there is no row).
 */
export function placeMarkerLabels(
  grid: CellGrid,
  markers: readonly Marker[],
  row: number | null,
  columnAt: (x: number) => number,
  ellipsis: string,
): string[] {
  const left: Marker[] = [];
  const inOrder = markers.toSorted((a, b) => a.x - b.x);
  let taken = -1;
  for (const [i, marker] of inOrder.entries()) {
    const next = inOrder[i + 1];
    const column = columnAt(marker.x);
    const wanted = textWidth(marker.label);
    // The last one may move left of its line rather than be cut at the edge.
    const end = next === undefined ? grid.width : columnAt(next.x) - 1;
    const start = Math.max(taken + 1, next === undefined ? Math.min(column, grid.width - wanted) : column);
    const room = Math.min(wanted, end - start);
    if (row === null || room < Math.min(wanted, shortest)) {
      left.push(marker);
      continue;
    }
    grid.write(start, row, fitText(marker.label, room, ellipsis), ellipsis);
    taken = start + room;
  }
  return left.length === 0
    ? []
    : [`marks: ${left.map(({ label, x }) => `${label} at ${formatValue(x)}`).join(', ')}`];
}
