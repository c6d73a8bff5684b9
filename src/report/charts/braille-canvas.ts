/** Bits of U+2800 for dot (column, row) of a cell, `[row * 2 + column]`. */
const dotBits = [0x01, 0x08, 0x02, 0x10, 0x04, 0x20, 0x40, 0x80];

export interface BrailleCell {
  /** A braille character, a blank where no dot is set. */
  readonly text: string;
  /** The series that drew last in the cell. */
  readonly series: number | null;
}

/**
 * A canvas of `width` x `height` characters, each 2 dots wide and 4 high; dot (0, 0) is at the top left.
 * Positions are rounded to dots, and what lies outside is left out.
 *
 * @throws RangeError if a size is no positive whole number
 */
export class BrailleCanvas {
  /** Size in dots. */
  readonly dotColumns: number;
  readonly dotRows: number;
  private readonly bits: Uint8Array;
  private readonly owners: Int32Array;

  constructor(
    readonly width: number,
    readonly height: number,
  ) {
    for (const size of [width, height])
      if (!Number.isInteger(size) || size < 1)
        throw new RangeError(`a canvas takes a positive whole number of characters, not ${size}`);
    this.dotColumns = 2 * width;
    this.dotRows = 4 * height;
    this.bits = new Uint8Array(width * height);
    this.owners = new Int32Array(width * height).fill(-1);
  }

  /** Sets a dot for a series; null for what belongs to none. */
  set(x: number, y: number, series: number | null): void {
    const column = Math.round(x);
    const row = Math.round(y);
    if (!(column >= 0 && column < this.dotColumns && row >= 0 && row < this.dotRows)) return;
    const cell = (row >> 2) * this.width + (column >> 1);
    this.bits[cell]! |= dotBits[(row & 3) * 2 + (column & 1)]!;
    this.owners[cell] = series ?? -1;
  }

  /** Draws the segment between two points, cut at the edges; exact for coordinates up to about 1e12 dots. */
  line(fromX: number, fromY: number, toX: number, toY: number, series: number | null): void {
    const inside = clip(fromX, fromY, toX, toY, this.dotColumns - 1, this.dotRows - 1);
    if (inside === null) return;
    const [x0, y0, x1, y1] = inside;
    const steps = Math.max(1, Math.ceil(Math.max(Math.abs(x1 - x0), Math.abs(y1 - y0))));
    for (let i = 0; i <= steps; i++)
      this.set(x0 + ((x1 - x0) * i) / steps, y0 + ((y1 - y0) * i) / steps, series);
  }

  cell(column: number, row: number): BrailleCell {
    const index = row * this.width + column;
    const bits = this.bits[index] ?? 0;
    if (bits === 0) return { text: ' ', series: null };
    const owner = this.owners[index]!;
    return { text: String.fromCharCode(0x2800 + bits), series: owner < 0 ? null : owner };
  }

  isBlank(column: number, row: number): boolean {
    return (this.bits[row * this.width + column] ?? 0) === 0;
  }

  toRows(): BrailleCell[][] {
    return Array.from({ length: this.height }, (_, row) =>
      Array.from({ length: this.width }, (_, column) => this.cell(column, row)),
    );
  }
}

/**
 * The part of a segment within half a dot of `[0, maxX] x [0, maxY]`, or null (Liang and Barsky, ACM TOG 3,
 * 1984).
 */
function clip(
  x0: number,
  y0: number,
  x1: number,
  y1: number,
  maxX: number,
  maxY: number,
): readonly [number, number, number, number] | null {
  const dx = x1 - x0;
  const dy = y1 - y0;
  const half = 0.499;
  const edges = [
    [-dx, x0 + half],
    [dx, maxX + half - x0],
    [-dy, y0 + half],
    [dy, maxY + half - y0],
  ] as const;
  let from = 0;
  let to = 1;
  for (const [towards, room] of edges) {
    if (towards === 0 && room < 0) return null;
    if (towards < 0) from = Math.max(from, room / towards);
    else if (towards > 0) to = Math.min(to, room / towards);
  }
  return from > to ? null : [x0 + from * dx, y0 + from * dy, x0 + to * dx, y0 + to * dy];
}
