import { expect, test } from 'vitest';
import { exchangeTags } from '../../data/assignment.js';
import {
  checkDesign,
  newSubsets,
  parseGroupName,
  requireDesigned,
  shownTag,
  type Design,
} from '../../data/design.js';
import { factDesign } from '../../data/facts/design.js';
import { designOf, internalizationDesign } from '../../data/internalization-design.js';
import { experiments } from '../../data/registry.js';

const changed = (change: Partial<Design>): Design => ({ ...internalizationDesign, ...change });

test('the built-in experiments share one design, which those on facts extend; runs without one have it', () => {
  const designs = Object.fromEntries(Array.from(experiments.values(), ({ name, design }) => [name, design]));
  expect(designs).toEqual({
    'set-inclusion': internalizationDesign,
    'mnist-qa': internalizationDesign,
    people: factDesign,
    works: factDesign,
  });
  const { subsets, tags, ...compared } = internalizationDesign;
  expect(factDesign).toMatchObject(compared);
  expect(factDesign.subsets).toEqual(expect.arrayContaining([...subsets]));
  expect(factDesign.tags).toEqual(expect.arrayContaining([...tags]));
  expect(designOf({})).toBe(internalizationDesign);
});

test('the pair whose tags are exchanged is the one that the data exchange', () => {
  const [first, second] = ['d1consis', 'd2consis'] as const;
  const exchanged = exchangeTags(
    new Map([
      [first, [1]],
      [second, [2]],
    ]),
  );
  expect(internalizationDesign.exchange).toEqual([first, second]);
  expect([exchanged.get(first), exchanged.get(second)]).toEqual([[2], [1]]);
});

test.each<[string, Partial<Design>, string]>([
  [
    'a pair with a subset that is not there',
    { weak: ['qd1consis', 'nowhere'] },
    'design.weak.1: nowhere is no',
  ],
  [
    'a pair the wrong way round',
    { strong: ['d2consis', 'd1consis'] },
    'design.strong.0: d2consis is no subset of X2',
  ],
  [
    'a pair of another part',
    { weak: ['d1consis', 'qd2incons'] },
    'design.weak.0: d1consis is no subset of X1',
  ],
  [
    'two subsets of one name',
    { subsets: [...internalizationDesign.subsets, internalizationDesign.subsets[0]!] },
    'two subsets',
  ],
  ['a tag that is not there', { tags: internalizationDesign.tags.slice(0, 2) }, 'd3consis has the tag 3'],
  ['questions only with definitions', { questionsOnly: 'qd1consis' }, 'design.questionsOnly: qd1consis'],
  ['a baseline that is trained', { untrained: 'q' }, 'design.untrained: q is no subset of part none'],
  [
    'an exchange of others',
    { exchange: ['qd1consis', 'qd2incons'] },
    'design.exchange: it is the pair of strong',
  ],
  [
    'a name with a slash',
    { subsets: [{ ...internalizationDesign.subsets[0]!, name: 'a/b' }] },
    'design.subsets.0.name: expected letters',
  ],
])('%s is refused in one line', (_, change, message) => {
  const check = () => checkDesign('mine', changed(change));
  expect(check).toThrow(message);
  expect(check).toThrow(/^experiment mine: design\.[^\n]+$/);
});

test('data of subsets that the design does not declare are refused', () => {
  const of = (groups: string[], tests: string[]) => () =>
    requireDesigned('mine', internalizationDesign, { groups, tests: tests.map((subset) => ({ subset })) });
  expect(of(['q/qa'], ['q'])).not.toThrow();
  expect(of(['other/qa'], [])).toThrow('has the group other/qa'.replace('has', 'have'));
  expect(of(['q/questions'], [])).toThrow('q/questions');
  expect(of(['q/qa'], ['other'])).toThrow('a test set of other');
});

test('tags that definitions show, as they are and swapped', () => {
  const shown = (subset: string) =>
    [false, true].map((swap) => shownTag(internalizationDesign, subset, swap));
  expect(shown('qd1incons')).toEqual(['reliable', 'unreliable']);
  expect(shown('qd2consis')).toEqual(['unreliable', 'reliable']);
  expect(shown('d3consis')).toEqual(['other', 'reliable']);
  expect(shownTag(internalizationDesign, 'q')).toBe('other');
  expect(newSubsets(internalizationDesign)).toEqual(['d1consis', 'd2consis']);
  expect(newSubsets(internalizationDesign, 'unreliable')).toEqual(['d2consis']);
});

test('group names', () => {
  expect(parseGroupName('mine/definition')).toEqual({ subset: 'mine', kind: 'definition' });
  for (const name of ['mine', 'mine/', '/qa', 'a/b/qa'])
    expect(() => parseGroupName(name)).toThrow(TypeError);
});
