import type { LabelledImages } from './digits.js';

/** Images made small, sorted out by class. */
export interface PooledImages {
  /** Pixels on a side. */
  readonly side: number;
  /** `[image, side, side]` 0 black to 1 white. */
  readonly pixels: Float32Array;
  /** `[class]` numbers of the images of each class. */
  readonly byClass: readonly Int32Array[];
}

/**
 * Cuts the central square of `crop` pixels out of every image and averages it over squares of `pooling` x `pooling`
 * pixels. `crop` must be a multiple of `pooling` and no larger than the images.
 */
export function poolImages(images: LabelledImages, crop: number, pooling: number): PooledImages {
  const { count, rows, columns, pixels, labels } = images;
  const side = crop / pooling;
  const top = Math.floor((rows - crop) / 2);
  const left = Math.floor((columns - crop) / 2);
  const pooled = new Float32Array(count * side * side);
  const scale = 1 / (255 * pooling * pooling);
  let at = 0;
  for (let image = 0; image < count; image++) {
    const origin = (image * rows + top) * columns + left;
    for (let y = 0; y < side; y++) {
      for (let x = 0; x < side; x++) {
        let sum = 0;
        for (let dy = 0; dy < pooling; dy++) {
          const from = origin + (y * pooling + dy) * columns + x * pooling;
          for (let dx = 0; dx < pooling; dx++) sum += pixels[from + dx]!;
        }
        pooled[at++] = sum * scale;
      }
    }
  }
  const classes = labels.reduce((most, label) => Math.max(most, label), -1) + 1;
  const byClass = Array.from({ length: classes }, (_, own) => {
    const members: number[] = [];
    labels.forEach((label, image) => {
      if (label === own) members.push(image);
    });
    return Int32Array.from(members);
  });
  return { side, pixels: pooled, byClass };
}
