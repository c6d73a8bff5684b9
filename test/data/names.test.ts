import { describe, expect, it } from 'vitest';
import { UserError } from '../../data/errors.js';
import { allNames, randomNames } from '../../data/names.js';
import { PythonRandom } from '../../data/random/python-random.js';

/** A generator that has shuffled `entities` items, as the text experiments do before they name them. */
function afterShuffling(seed: number, entities: number): { random: PythonRandom; order: number[] } {
  const random = new PythonRandom(seed);
  const order = Array.from({ length: entities }, (_, i) => i);
  random.shuffle(order);
  return { random, order };
}

/** One of the three define tags, which are drawn one after the other. */
const tagName = (random: PythonRandom): string => randomNames(1, 6, random, { brackets: true })[0]!;

describe('names', () => {
  it('are those of the published data of 4000 entities', () => {
    const { random, order } = afterShuffling(0, 4000);
    expect(order.slice(0, 4)).toEqual([2314, 3128, 1211, 666]);
    const drawn = randomNames(4000, 5, random, { brackets: true });
    expect(drawn.slice(0, 5)).toEqual(['<|gzhju|>', '<|ouarf|>', '<|vyvph|>', '<|ocnws|>', '<|kaaig|>']);
    expect(drawn.at(-1)).toBe('<|rgozh|>');
    expect(Array.from({ length: 3 }, () => tagName(random))).toEqual([
      '<|ttdgdx|>',
      '<|iweoex|>',
      '<|opdykl|>',
    ]);
  });

  it('are those of the published data of 40 entities', () => {
    const { random, order } = afterShuffling(7, 40);
    expect(order.slice(0, 6)).toEqual([5, 35, 12, 19, 15, 10]);
    const drawn = randomNames(40, 5, random, { brackets: true });
    expect(drawn.slice(0, 3)).toEqual(['<|sjqpk|>', '<|oljhz|>', '<|zkkwl|>']);
    expect(drawn.at(-1)).toBe('<|tgpvr|>');
    expect(Array.from({ length: 3 }, () => tagName(random))).toEqual([
      '<|gqplxa|>',
      '<|azipig|>',
      '<|wtlozx|>',
    ]);
  });

  it('are different and may be all there are', () => {
    const drawn = randomNames(26 ** 2, 2, new PythonRandom(1));
    expect(drawn.toSorted()).toEqual(allNames(2));
    expect(drawn).not.toEqual(allNames(2));
  });

  it('refuse a count that does not exist', () => {
    expect(() => randomNames(27, 1, new PythonRandom(0))).toThrow(UserError);
    expect(() => randomNames(27, 1, new PythonRandom(0))).toThrow(
      '27 names of 1 letters: only 26 exist; use fewer variables or longer names',
    );
  });
});
