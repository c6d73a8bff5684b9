import { UserError } from '../errors.js';
import { compareCodePoints } from '../facts/code-points.js';
import type { FactEntity } from '../facts/fact-set.js';
import type { PythonRandom } from '../random/python-random.js';

/** Works sorted by name and shuffled. */
export function shuffledWorks(
  works: readonly FactEntity[],
  random: Pick<PythonRandom, 'shuffle'>,
): FactEntity[] {
  const shuffled = works.toSorted((a, b) => compareCodePoints(a.name, b.name));
  random.shuffle(shuffled);
  return shuffled;
}

/**
 * The first `count` works.
 *
 * @param source for messages
 * @throws UserError where there are fewer
 */
export function firstWorks(
  works: readonly FactEntity[],
  count: number,
  source: string,
): readonly FactEntity[] {
  if (works.length < count) {
    throw new UserError(
      `data.entities: ${source} has ${works.length} works, but ${count} are asked for; lower data.entities`,
    );
  }
  return works.slice(0, count);
}
