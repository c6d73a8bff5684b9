import type { MnistQaConfig } from './config.js';

/** Where things are in an image, in pixels: a strip for the tag, below it the grid of cells. */
export interface ImageLayout {
  readonly height: number;
  readonly width: number;
  /** Side of a cell, its frame included. */
  readonly cell: number;
  /** Cells on a side of the grid. */
  readonly grid: number;
  readonly cells: number;
  readonly border: number;
  /** Height of the strip. */
  readonly strip: number;
  readonly tagBlock: number;
  /** Squares of a tag, row after row. */
  readonly tagBlocks: number;
  /** Value of a black and of a white pixel. */
  readonly black: number;
  readonly white: number;
  /** Value of a pixel of brightness p in [0, 1] is `black + p * (white - black)`. */
}

export function imageLayout({ grid, image }: Pick<MnistQaConfig, 'grid' | 'image'>): ImageLayout {
  const cell = image.crop / image.pooling + 2 * image.border;
  const width = grid * cell;
  return {
    height: image.stripHeight + width,
    width,
    cell,
    grid,
    cells: grid * grid,
    border: image.border,
    strip: image.stripHeight,
    tagBlock: image.tagBlock,
    tagBlocks: Math.floor(image.stripHeight / image.tagBlock) * Math.floor(width / image.tagBlock),
    black: (0 - image.mean) / image.deviation,
    white: (1 - image.mean) / image.deviation,
  };
}
