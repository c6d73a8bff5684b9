import { UserError } from '../../data/errors.js';

/** A range of more seeds than this is a slip. */
const mostSeeds = 10_000;

/** `3`, `0..7` or `0,2,5..9` as a list of seeds, each once. Throws a UserError that says what was expected. */
export function parseSeedRange(text: string): number[] {
  const seeds = text.split(',').flatMap((part) => {
    const match = /^(\d+)(?:\.\.(\d+))?$/.exec(part.trim());
    if (match === null) throw new UserError('expected seeds such as 3, 0..7 or 0,2,5..9');
    const [first, last] = [Number(match[1]), Number(match[2] ?? match[1])];
    if (last < first) throw new UserError(`${first}..${last} runs backwards`);
    if (last > Number.MAX_SAFE_INTEGER) throw new UserError(`seeds go up to ${Number.MAX_SAFE_INTEGER}`);
    if (last - first >= mostSeeds) throw new UserError(`${first}..${last} are more than ${mostSeeds} seeds`);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
  return [...new Set(seeds)];
}
