import { describe, expect, it, test } from 'vitest';
import { PythonRandom } from '../../../data/random/python-random.js';
import { worksSchema } from '../../../data/works/config.js';
import { loadWorks } from '../../../data/works/load.js';
import { questionOfPredicate } from '../../../data/works/questions.js';
import { worksOf } from '../../../data/works/trex.js';
import { cleanTriples, readTriples, type Triple } from '../../../data/works/triples.js';
import { filesOf } from '../support/facts.js';

const predicates =
  'P50 P123 P577 P136 P407 P179 P57 P58 P344 P1040 P162 P275 P750 P921 P127 P86 P178 P31 P840 P915 P364 P98 P135 P180 P195'.split(
    ' ',
  );

/** A triple as documents have it. */
const inDocument = ({ subj, predicate, obj }: Triple) => ({
  subject: { surfaceform: subj, uri: null },
  predicate: { uri: `http://www.wikidata.org/prop/direct/${predicate}`, surfaceform: null },
  object: { surfaceform: obj, boundaries: [0, 1] },
});

const triple = (subj: string, predicate: string, obj: string): Triple => ({ subj, predicate, obj });
const people = new Set(['P50', 'P57', 'P58', 'P98', 'P162', 'P86', 'P344', 'P1040']);
const objectOf = (predicate: string) =>
  predicate === 'P577'
    ? 'published on 3 May 1987'
    : people.has(predicate)
      ? `Given${predicate} Family`
      : `about ${predicate}`;

/** A work with all 25 predicates, and what loaders must drop. */
const invented: readonly Triple[] = [
  ...predicates.map((predicate) => triple('All of it (novel)', predicate, objectOf(predicate))),
  triple('All of it (novel)', 'P577', 'some day'),
  triple('All of it (novel)', 'P57', 'Solo'),
  triple('All of it (novel)', 'P57', 'A Initial'),
  triple('All of it (novel)', 'P136', 'other (music) genre'),
  triple('All of it (novel)', 'P136', 'about P31'),
  triple('All of it (novel)', 'P999', 'not asked'),
  triple('Four', 'P136', 'genre'),
  triple('Four', 'P31', 'type'),
  triple('Four', 'P840', 'place'),
  triple('Four', 'P127', 'owner'),
  triple('Four', 'P127', 'it'),
  triple('Three', 'P136', 'genre'),
  triple('Three', 'P31', 'type'),
  triple('Three', 'P840', 'place'),
  triple('He', 'P136', 'genre'),
  triple('He', 'P31', 'type'),
  triple('He', 'P840', 'place'),
  triple('He', 'P127', 'owner'),
  triple('Once', 'P136', 'genre'),
];

test('there is a question for each of 25 predicates', () => {
  expect(predicates).toHaveLength(25);
  expect([...questionOfPredicate.keys()].sort()).toEqual(predicates.toSorted());
  expect(questionOfPredicate.get('P1040')).toBe(questionOfPredicate.get('P98'));
  expect(questionOfPredicate.get('P86')!.template.source).toBe('First name of the composer for [X]?');
});

test('triples are read from documents and from a list, different ones in order', () => {
  const documents = [
    { docid: 'x', triples: invented.slice(0, 20).map(inDocument) },
    { triples: invented.slice(20).map(inDocument) },
  ];
  const asked = invented.filter(({ predicate }) => predicate !== 'P999');
  expect(readTriples('a.json', documents)).toEqual(asked);
  expect(readTriples('b.json', invented)).toEqual(asked);
  const cleaned = cleanTriples([...asked, ...asked]);
  expect(cleaned).toEqual(asked.filter(({ subj, obj }) => subj !== 'He' && subj !== 'Once' && obj !== 'it'));
});

test.each([[{}], [[{ subj: 'a' }]], [[{ triples: [{ subject: 'a' }] }]]])(
  '%j holds no triples',
  (content) => {
    expect(() => readTriples('a.json', content)).toThrow(/^a.json: holds neither documents of T-REx/);
  },
);

describe('works', () => {
  const works = (seed: number, faithful = false) =>
    worksOf(cleanTriples(readTriples('a.json', invented)), new PythonRandom(seed), faithful);
  const factsOf = (seed: number, faithful?: boolean) =>
    Object.fromEntries(
      works(seed, faithful)
        .find(({ name }) => name === 'All of it')!
        .facts.map(({ question, answers }) => [question.id, answers]),
    );

  it('have at least four questions', () => {
    expect(
      works(0)
        .map(({ name }) => name)
        .sort(),
    ).toEqual(['All of it', 'Four']);
  });

  it('have one question for predicates that ask the same, and all answers', () => {
    const facts = factsOf(0);
    expect(Object.keys(facts)).toHaveLength(23);
    expect(facts['P577']).toEqual(['1980s']);
    expect(facts['P407']!.toSorted()).toEqual(['about P364', 'about P407']);
    expect(facts['P1040']!.toSorted()).toEqual(['GivenP1040', 'GivenP98']);
    expect(facts['P57']).toEqual(['GivenP57']);
    expect(facts['P136']).toContain('other genre');
  });

  it('keep full names of editors where the published data do', () => {
    expect(factsOf(0, true)['P1040']!.toSorted()).toEqual(['GivenP1040 Family', 'GivenP98']);
  });

  it('have an answer once, and depend on the seed', () => {
    const owners = Array.from({ length: 20 }, (_, seed) => {
      const facts = factsOf(seed);
      const all = Object.values(facts).flat();
      expect(new Set(all).size).toBe(all.length);
      return facts['P136']![0];
    });
    expect(new Set(owners).size).toBeGreaterThan(1);
  });
});

describe('a config', () => {
  const load = (trex: string, files: Readonly<Record<string, string>>, changes: object = {}) =>
    loadWorks(worksSchema.parse({ works: 'trex', entities: 2, trex, ...changes }), filesOf(files));
  const half = [invented.slice(0, 12), invented.slice(12)].map((own) =>
    JSON.stringify([{ triples: own.map(inDocument) }]),
  );

  it('takes a file or a folder, whose files are read in the order of their names', () => {
    const whole = load('/a.json', { '/a.json': JSON.stringify(invented) });
    expect(whole.entities.map(({ name }) => name)).toEqual(['All of it', 'Four']);
    expect(whole.sources[0]!.name).toBe('T-REx');
    const parts = { '/folder/2.json': half[1]!, '/folder/1.json': half[0]!, '/folder/notes.txt': 'x' };
    expect(load('/folder', parts).entities).toEqual(whole.entities);
  });

  it.each([
    ['/folder', { '/folder/notes.txt': 'x' }, {}, /^\/folder: holds no .json files/],
    ['/a.json', { '/a.json': '[]' }, {}, /^data.entities: \/a.json has 0 works, but 2 are asked for/],
    ['/a.json', { '/a.json': '{]' }, {}, /^\/a.json: is no JSON/],
    ['/b.json', {}, {}, /^\/b.json: cannot be read/],
  ])('%s with %j cannot be loaded', (trex, files, changes, message) => {
    expect(() => load(trex, files, changes)).toThrow(message);
  });
});
