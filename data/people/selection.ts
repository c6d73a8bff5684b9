import { UserError } from '../errors.js';
import { compareCodePoints } from '../facts/code-points.js';
import type { Person } from './person.js';

/** Whom to take: as many men as women, or the most famous whoever they are. */
export const selections = ['equalGender', 'overall'] as const;

export type Selection = (typeof selections)[number];

/** Most famous first; equally famous ones by name. */
export function byFame(a: Person, b: Person): number {
  return b.fame - a.fame || compareCodePoints(a.name, b.name);
}

/**
 * The `count` most famous people, or the `count / 2` most famous men and women.
 *
 * @param people most famous first
 * @param source for messages
 * @throws UserError where there are fewer, and for half of an odd number
 */
export function selectPeople<Own extends Person>(
  people: readonly Own[],
  count: number,
  selection: Selection,
  source: string,
): Own[] {
  if (selection === 'overall') {
    requirePeople(people.length, count, 'people', source);
    return people.slice(0, count);
  }
  if (count % 2 === 1) {
    throw new UserError(
      `data.entities: ${count} people cannot be half men and half women; make it even, or data.selection overall`,
    );
  }
  const half = count / 2;
  return (['Male', 'Female'] as const).flatMap((gender) => {
    const own = people.filter((person) => person.gender === gender);
    requirePeople(own.length, half, gender === 'Male' ? 'men' : 'women', source);
    return own.slice(0, half);
  });
}

function requirePeople(found: number, wanted: number, who: string, source: string): void {
  if (found >= wanted) return;
  throw new UserError(
    `data.entities: ${source} has ${found} ${who}, but ${wanted} are asked for; ` +
      `lower data.entities${who === 'people' ? '' : ', or make data.selection overall'}`,
  );
}
