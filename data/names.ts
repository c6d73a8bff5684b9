import { UserError } from './errors.js';
import type { PythonRandom } from './random/python-random.js';

const letters = 'abcdefghijklmnopqrstuvwxyz';

export interface NameOptions {
  /** Writes `<|name|>` instead of `name`. */
  readonly brackets?: boolean;
}

/**
 * `count` different names of `length` lower-case letters in random order: strings of `choice(a..z)` are drawn into a
 * set until there are enough, sorted, and shuffled (so the order depends on nothing but `random`).
 * Throws a UserError when there are fewer than `count` such strings.
 */
export function randomNames(
  count: number,
  length: number,
  random: PythonRandom,
  options: NameOptions = {},
): string[] {
  const possible = letters.length ** length;
  if (count > possible) {
    throw new UserError(
      `${count} names of ${length} letters: only ${possible} exist; use fewer variables or longer names`,
    );
  }
  const drawn = new Set<string>();
  while (drawn.size < count) {
    let name = '';
    for (let i = 0; i < length; i++) name += random.choice(letters);
    drawn.add(name);
  }
  // The default order of strings is that of their code units, which for these letters is Python's.
  const ordered = Array.from(drawn).sort();
  random.shuffle(ordered);
  return options.brackets ? ordered.map((name) => `<|${name}|>`) : ordered;
}

/**
 * Every string of `length` lower-case letters, in alphabetical order: `aaa`, `aab`, ... `zzz`.
 */
export function allNames(length: number): string[] {
  let all = [''];
  for (let i = 0; i < length; i++)
    all = all.flatMap((start) => Array.from(letters, (letter) => start + letter));
  return all;
}
