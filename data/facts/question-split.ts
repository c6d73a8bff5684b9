import type { PythonRandom } from '../random/python-random.js';

/** Products of decimal fractions miss whole numbers by a few units in the last place. */
const tolerance = 1e-9;

/**
 * `[entity]` number of questions to hold out: of all together `share`, rounded up, and of each entity its share, rounded
 * down or up. Where some must be rounded up, those with the largest remainders are, equal ones in random order.
 *
 * @param counts `[entity]` number of questions
 */
export function heldOutCounts(
  counts: readonly number[],
  share: number,
  random: Pick<PythonRandom, 'shuffle'>,
): number[] {
  const held = counts.map((count) => Math.floor(count * share + tolerance));
  const all = counts.reduce((sum, count) => sum + count, 0);
  let left = Math.ceil(all * share - tolerance) - held.reduce((sum, count) => sum + count, 0);
  if (left <= 0) return held;
  const order = counts.map((_, entity) => entity);
  random.shuffle(order);
  const remainder = (entity: number): number => counts[entity]! * share - held[entity]!;
  // Remainders of equal counts are equal, so that a stable sort keeps the random order among them.
  for (const entity of order.toSorted((a, b) => remainder(b) - remainder(a))) {
    if (left-- <= 0) break;
    held[entity]!++;
  }
  return held;
}

/**
 * `[entity]` places of the held-out questions among its questions, which are drawn without replacement.
 *
 * @param counts `[entity]` number of questions
 */
export function drawHeldOut(
  counts: readonly number[],
  share: number,
  random: Pick<PythonRandom, 'shuffle' | 'sample'>,
): ReadonlySet<number>[] {
  const held = heldOutCounts(counts, share, random);
  return counts.map((count, entity) => {
    const places = Array.from({ length: count }, (_, place) => place);
    return new Set(random.sample(places, held[entity]!));
  });
}
