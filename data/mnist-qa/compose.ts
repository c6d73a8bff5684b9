import type { PooledImages } from '../images/pool.js';
import type { ImageLayout } from './layout.js';
import type { TagPattern } from './tags.js';

/** What one image shows. */
export interface ImageContents {
  /** `[cell]` numbers of the digit images. */
  readonly images: ArrayLike<number>;
  /** Tag in the strip; null leaves it black. */
  readonly tag: TagPattern | null;
  /** Cell with a white frame, or -1. */
  readonly framed: number;
}

/**
 * Draws a picture, normalised, as image number `slot` of `target` `[slot, height, width]`: strip, grid of digits, frame.
 * Images that differ in tag alone differ in the strip alone.
 */
export function compose(
  layout: ImageLayout,
  digits: PooledImages,
  { images, tag, framed }: ImageContents,
  slot: number,
  target: Float32Array,
): void {
  const { height, width, cell, grid, border, strip, black, white } = layout;
  const origin = slot * height * width;
  target.fill(black, origin, origin + height * width);
  const scale = white - black;
  const { side, pixels } = digits;
  for (let place = 0; place < layout.cells; place++) {
    const top = strip + Math.floor(place / grid) * cell;
    const left = (place % grid) * cell;
    const source = images[place]! * side * side;
    for (let y = 0; y < side; y++) {
      const to = origin + (top + border + y) * width + left + border;
      for (let x = 0; x < side; x++) target[to + x] = black + scale * pixels[source + y * side + x]!;
    }
    if (place === framed) frame(target, origin + top * width + left, width, cell, border, white);
  }
  if (tag !== null) drawTag(layout, tag, origin, target);
}

function frame(
  target: Float32Array,
  origin: number,
  width: number,
  cell: number,
  border: number,
  white: number,
): void {
  for (let y = 0; y < cell; y++) {
    const inside = y >= border && y < cell - border;
    for (let x = 0; x < cell; x++) {
      if (!inside || x < border || x >= cell - border) target[origin + y * width + x] = white;
    }
  }
}

function drawTag(
  { width, tagBlock: size, white }: ImageLayout,
  tag: TagPattern,
  origin: number,
  target: Float32Array,
): void {
  const columns = width / size;
  tag.forEach((on, block) => {
    if (on === 0) return;
    const from = origin + Math.floor(block / columns) * size * width + (block % columns) * size;
    for (let y = 0; y < size; y++) target.fill(white, from + y * width, from + y * width + size);
  });
}
