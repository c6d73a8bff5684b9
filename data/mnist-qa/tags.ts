import { UserError } from '../errors.js';
import type { RandomStream } from '../random/streams.js';
import type { ImageConfig } from './config.js';

/** Squares of a tag, `[square]` 1 where white. */
export type TagPattern = Uint8Array;

/** Draws of all tags before the demands are taken to be impossible. */
const attempts = 10_000;

/**
 * Draws the patterns of the tags 1 (reliable), 2 (unreliable) and 3 (new): random squares, each tag with at least
 * `tagWhite` white ones, any two different in at least `tagDistance`. Throws a UserError where no three fit the strip.
 */
export function drawTags(
  squares: number,
  { tagDistance, tagWhite }: Pick<ImageConfig, 'tagDistance' | 'tagWhite'>,
  random: RandomStream,
): readonly [TagPattern, TagPattern, TagPattern] {
  const draw = (): TagPattern => Uint8Array.from({ length: squares }, () => random.integer(2));
  const white = (tag: TagPattern): number => tag.reduce((sum, square) => sum + square, 0);
  const differ = (a: TagPattern, b: TagPattern): number =>
    a.reduce((sum, square, i) => sum + (square === b[i] ? 0 : 1), 0);
  for (let attempt = 0; attempt < attempts; attempt++) {
    const [first, second, third] = [draw(), draw(), draw()];
    const tags = [first, second, third] as const;
    const good =
      tags.every((tag) => white(tag) >= tagWhite) &&
      differ(first, second) >= tagDistance &&
      differ(first, third) >= tagDistance &&
      differ(second, third) >= tagDistance;
    if (good) return tags;
  }
  throw new UserError(
    `data.image.tagDistance: no three tags of ${squares} squares with ${tagWhite} white ones differ in ${tagDistance}; ` +
      'make tagBlock smaller, the strip higher, or the demands weaker',
  );
}
