import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, it, test } from 'vitest';
import { majorityOfEntities } from '../../../data/facts/majority.js';
import { locateSource, nodeSourceFiles } from '../../../data/files/source-files.js';
import { worksSchema } from '../../../data/works/config.js';
import { firstName } from '../../../data/works/first-name.js';
import { loadWorks } from '../../../data/works/load.js';
import { moviesFile, readMovies, type Films } from '../../../data/works/movies.js';
import { filesOf } from '../support/facts.js';

describe('movies.json', () => {
  let films: Films;
  let hash: string;
  beforeAll(() => {
    const file = locateSource(nodeSourceFiles, moviesFile, undefined);
    const bytes = nodeSourceFiles.bytes(file);
    hash = createHash('sha256').update(bytes).digest('hex');
    films = readMovies(file, JSON.parse(Buffer.from(bytes).toString()));
  });

  it('is the file whose counts are known', () => {
    expect(hash).toBe('e63c499759e3b07b49563e036f55290f87feb56def8703ec049ca305ab1523d3');
  });

  it('has 2,333 films', () => {
    expect(films).toMatchObject({ rows: 3201, complete: 2371, unique: 2363 });
    expect(films.entities).toHaveLength(2333);
    const lengths = films.entities.map(({ facts }) => facts.length);
    expect(lengths.filter((length) => length === 7)).toHaveLength(1434);
    expect(lengths.filter((length) => length === 6)).toHaveLength(2333 - 1434);
    const names = new Set(films.entities.map(({ name }) => name));
    for (const title of ['21', '9', 'Up', 'X2', '1776', '300']) expect(names).toContain(title);
    expect(names).not.toContain('Gone with the Wind');
  });

  it('has these majority answers', () => {
    const shown = majorityOfEntities(films.entities).map(
      ({ asks, asked, distinct, answer, share }) =>
        `${asks} ${asked}: ${distinct} ${answer} ${share.toFixed(3)}`,
    );
    expect(shown).toEqual([
      'P577 2333: 16 1990s 0.261',
      'P750 2333: 132 Sony Pictures 0.114',
      'P136 2333: 12 Drama 0.274',
      'P31 2333: 8 Contemporary Fiction 0.559',
      'source 2333: 17 Original Screenplay 0.540',
      'rating 2333: 7 R 0.448',
      'P57 1434: 260 John 0.036',
    ]);
  });
});

const film = {
  Title: 'Invented' as string | number | null,
  'Release Date': 'Jun 12 1998',
  Distributor: 'Nobody',
  Source: 'Remake',
  'Major Genre': 'Drama',
  'Creative Type': 'Factual',
  'MPAA Rating': 'G',
  Director: 'Ann Other' as string | null,
};

describe('films', () => {
  const read = (...changes: object[]) =>
    readMovies(
      'movies.json',
      changes.map((own) => ({ ...film, ...own })),
    ).entities;

  it('have six or seven questions', () => {
    const [first, second] = read({}, { Title: 21, Director: 'Solo' });
    expect(first!.facts.map(({ question, answers }) => [question.template.source, answers[0]])).toEqual([
      ['When was [X] published or released?', '1990s'],
      ['What is the distributor of [X]?', 'Nobody'],
      ['What is the genre of [X]?', 'Drama'],
      ['What is the type of [X]?', 'Factual'],
      ['What is the source of [X]?', 'Remake'],
      ['What is the rating of [X]?', 'G'],
      ['First name of the director of [X]?', 'Ann'],
    ]);
    expect(second).toMatchObject({ name: '21' });
    expect(second!.facts).toHaveLength(6);
  });

  it.each([
    [{ Title: null }],
    [{ 'Release Date': 'unknown' }],
    [{ 'Release Date': 'Jun 12 2039' }],
    [{ Source: null }],
    [{ Title: 'F‰lscher' }],
  ])('are left out: %j', (changes) => {
    expect(read(changes)).toEqual([]);
  });

  it('are told from other files', () => {
    expect(() => read({}, { Director: 3 })).toThrow(
      /^movies.json, film 1: Director: .*; give the movies.json of/,
    );
    expect(() => readMovies('movies.json', {})).toThrow(/^movies.json/);
  });
});

test.each([
  ['Ann Other', 'Ann'],
  ['Ann B. Other', 'Ann'],
  ['Solo', null],
  ['A Other', null],
  ['', null],
])('the first name of %s', (name, first) => {
  expect(firstName(name)).toBe(first);
});

describe('works', () => {
  const load = (changes: object, files = nodeSourceFiles) =>
    loadWorks(worksSchema.parse({ entities: 100, ...changes }), files);

  it('are chosen by a seed of their own', () => {
    const names = (changes: object) => load(changes).entities.map(({ name }) => name);
    expect(names({})).toHaveLength(100);
    expect(names({})).toEqual(names({}));
    expect(names({})).toEqual(names({}).sort());
    expect(names({ entitySeed: 1 })).not.toEqual(names({}));
    expect(names({ entities: 2333 })).toHaveLength(2333);
  });

  it.each([
    [
      { entities: 3000 },
      /^data.entities: movies has 2333 works, but 3000 are asked for; lower data.entities$/,
    ],
    [{ movies: '/no/such.json' }, /^\/no\/such.json: cannot be read/],
  ])('%j cannot be loaded', (changes, message) => {
    expect(() => load(changes)).toThrow(message);
  });

  it('name the package to install', () => {
    expect(() => load({}, filesOf({}))).toThrow(
      /run npm install vega-datasets@3.2.1, or give movies.json or its folder/,
    );
    expect(() => load({ movies: '/m' }, filesOf({ '/m/movies.json': '{' }))).toThrow(
      /^\/m\/movies.json: is no JSON \(/,
    );
    expect(() =>
      load({ movies: '/m' }, filesOf({ '/m/movies.json': Buffer.from([0x5b, 0x0a, 0xff]) })),
    ).toThrow(/^\/m\/movies.json, line 2: is not UTF-8/);
  });
});
