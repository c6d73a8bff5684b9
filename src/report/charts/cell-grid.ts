import type { ChartRow, Segment } from './chart.js';
import { fitCells } from './text-width.js';

interface Cell {
  text: string;
  color: number | null;
}

/** Rows of character cells to write on. Nothing outside the grid is written. */
export class CellGrid {
  private readonly cells: Cell[][];

  constructor(
    readonly width: number,
    readonly height: number,
  ) {
    this.cells = Array.from({ length: height }, () =>
      Array.from({ length: width }, () => ({ text: ' ', color: null })),
    );
  }

  /** Puts one character, one column wide, into a cell. */
  put(column: number, row: number, text: string, color: number | null = null): void {
    const cell = this.cells[row]?.[column];
    if (cell === undefined) return;
    cell.text = text;
    cell.color = color;
  }

  isBlank(column: number, row: number): boolean {
    return this.cells[row]?.[column]?.text === ' ';
  }

  /** Writes a text from a column on, cut to `room` columns and to the grid. */
  write(
    column: number,
    row: number,
    text: string,
    ellipsis: string,
    color: number | null = null,
    room = this.width,
  ): void {
    const cells = fitCells(text, Math.min(room, this.width - column), ellipsis);
    for (const [i, own] of cells.entries()) this.put(column + i, row, own, color);
  }

  toRows(): ChartRow[] {
    return this.cells.map((cells) => joinCells(cells));
  }
}

/** Neighbouring cells of one colour as one segment, without the blanks at the end. */
function joinCells(cells: readonly Segment[]): Segment[] {
  const end = cells.findLastIndex(({ text }) => text !== ' ') + 1;
  const segments: { text: string; color: number | null }[] = [];
  for (const { text, color } of cells.slice(0, end)) {
    const last = segments.at(-1);
    // A blank has no colour of its own: it goes on with what is before it.
    if (last !== undefined && (last.color === color || text.trim() === '')) last.text += text;
    else segments.push({ text, color });
  }
  return segments;
}
