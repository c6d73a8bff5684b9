import type { RandomStream } from '../../../../data/random/streams.js';

/** Makes a random copy of `item` by drawing its parts anew. */
export type Resampler<T> = (item: T, stream: RandomStream) => T;

/**
 * As many parts as there are, drawn with replacement.
 *
 * @example withReplacement(['a', 'b', 'c'], stream) // ['c', 'a', 'c']
 */
export function withReplacement<T>(parts: readonly T[], stream: RandomStream): T[] {
  return Array.from(parts, () => parts[stream.integer(parts.length)]!);
}

/**
 * Draws the parts with replacement, then each drawn part's own parts with `inner`: redraws of stage 2, then
 * entities within a redraw, is `nested(withReplacement)`.
 */
export function nested<T>(inner: Resampler<T>): (parts: readonly T[], stream: RandomStream) => T[] {
  return (parts, stream) => withReplacement(parts, stream).map((part) => inner(part, stream));
}
