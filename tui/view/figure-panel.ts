import { axisOf, drawFigure, figureSlice, type LineFigure, type ScatterFigure } from './figure.js';
import type { Picture } from './picture.js';
import type { ViewState } from './state.js';
import { paint, type Box, type Style } from './style.js';
import { moreText } from './layout.js';

/** Rows that a figure keeps, whatever stands below it: half of the box, and this many at least. */
const leastFigure = 9;

/** A figure with lines below it, which scroll with `j` and `k` where not all of them fit. */
export function figurePicture(
  figure: LineFigure | ScatterFigure,
  below: readonly string[],
  state: ViewState,
  box: Box,
  style: Style,
): Picture {
  const { lines, list, room } = withBelow(below, state, box, style);
  return {
    lines: [...drawFigure(figure, room, state, style), ...lines],
    list,
    axis: axisOf(figure, box.width),
    figure,
    slice: () => figureSlice(figure),
  };
}

/** Lines below something, scrolled where they do not fit, and the room that is left above them. */
export function withBelow(
  below: readonly string[],
  state: ViewState,
  { width, height }: Box,
  style: Style,
): { readonly lines: readonly string[]; readonly list: Picture['list']; readonly room: Box } {
  const least = Math.min(height, Math.max(leastFigure, height >> 1));
  const fits = Math.max(0, height - least);
  if (below.length <= fits)
    return { lines: below, list: null, room: { width, height: height - below.length } };
  const page = Math.max(1, fits - 1);
  const length = below.length - page + 1;
  const row = Math.max(0, Math.min(length - 1, state.row));
  const left = below.length - page - row;
  // As high as a box must be that leaves a figure its share.
  const enough = Math.max(below.length + leastFigure, 2 * below.length);
  const note = left > 0 ? moreText(left, 'line', enough, style, 'j') : '(k: back up)';
  return {
    lines: [...below.slice(row, row + page), paint(note, 'dim', style)],
    list: { length, page, row, id: null, columns: [], column: 0, numeric: [], placeOf: null },
    room: { width, height: least },
  };
}
