import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, it, test } from 'vitest';
import { majorityOfEntities } from '../../../data/facts/majority.js';
import type { FactEntity } from '../../../data/facts/fact-set.js';
import { locateSource, nodeSourceFiles } from '../../../data/files/source-files.js';
import { utf8Text } from '../../../data/files/utf8.js';
import { knownPeople, knownPerson } from '../../../data/people/p10k.js';
import { deadPeople, joinDeaths, nameKey, type DeadPerson } from '../../../data/people/p1238.js';
import {
  countryName,
  pantheonFile,
  readPantheon,
  type PantheonPerson,
} from '../../../data/people/pantheon.js';
import type { Person } from '../../../data/people/person.js';
import { readWordNet, wordNetFile, type WordNetPeople } from '../../../data/people/wordnet.js';

const read = (wanted: typeof pantheonFile) => {
  const file = locateSource(nodeSourceFiles, wanted, undefined);
  return { file, bytes: nodeSourceFiles.bytes(file) };
};
const hashOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const answersOf = ({ facts }: FactEntity) => facts.map(({ answers }) => answers.join(';')).join(' | ');
const shown = (entities: readonly FactEntity[]) =>
  Object.fromEntries(
    majorityOfEntities(entities).map(({ asks, distinct, answer, share }) => [
      asks,
      `${distinct} ${answer} ${share.toFixed(3)}`,
    ]),
  );

let rows: PantheonPerson[];
beforeAll(() => {
  const { file, bytes } = read(pantheonFile);
  rows = readPantheon(file, bytes);
});

const count = (fits: (row: PantheonPerson) => boolean) => rows.filter(fits).length;

test.each([
  [pantheonFile, 'b5c7eb6830e66e796fe91b30a543041e24de7aeb794337dcd03eac786116284a'],
  [wordNetFile, '2cad22fe43461ee7ae61a564ae6a518c57445c8597e53542caddb5c26a6a5d94'],
])('$file is the file whose counts are known', (wanted, hash) => {
  expect(hashOf(read(wanted).bytes)).toBe(hash);
});

describe('Pantheon', () => {
  it('has 11,341 rows of 23 columns', () => {
    const [header = ''] = Buffer.from(read(pantheonFile).bytes).toString().split('\r\n', 1);
    expect(header.split('\t')).toHaveLength(23);
    expect(rows).toHaveLength(11_341);
    expect(count(({ gender }) => gender === 'Male')).toBe(9846);
    expect(count(({ gender }) => gender === 'Female')).toBe(1495);
    expect(count(({ born }) => born === null)).toBe(4);
    expect(count(({ born }) => born === 0)).toBe(1);
    expect(count(({ continent }) => continent === null)).toBe(438);
    expect(count(({ country }) => country === null)).toBe(468);
    expect(rows.some(({ name }) => name === 'Benigno "Noynoy" Aquino III')).toBe(true);
    const distinct = (key: 'occupation' | 'industry' | 'domain') => new Set(rows.map((row) => row[key])).size;
    expect([distinct('occupation'), distinct('industry'), distinct('domain')]).toEqual([88, 27, 8]);
  });

  it('writes every country in one way', () => {
    // Two of the 196 values are the empty one and Unknown.
    expect(new Set(rows.flatMap(({ country }) => country ?? [])).size).toBe(194);
    expect(countryName('UNITED STATES')).toBe('United States');
    expect(countryName('TRINIDAD AND TOBAGO')).toBe('Trinidad and Tobago');
    expect(countryName('GUINEA-BISSAU')).toBe('Guinea-Bissau');
    expect(countryName('Myanmar [Burma]')).toBe('Myanmar [Burma]');
  });
});

describe('P10k', () => {
  let people: Person[];
  beforeAll(() => {
    people = knownPeople(rows, 'views');
  });

  it('has 10,656 people', () => {
    expect(rows.filter((row) => knownPerson(row, 'views') !== null)).toHaveLength(10_669);
    expect(people).toHaveLength(10_656);
    const women = (own: readonly Person[]) => own.filter(({ gender }) => gender === 'Female').length;
    expect(women(people)).toBe(1452);
    expect(women(people.slice(0, 4000))).toBe(875);
  });

  it('has the most viewed first', () => {
    expect(people.slice(0, 5).map(({ name }) => name)).toEqual([
      'Michael Jackson',
      'Adolf Hitler',
      'Justin Bieber',
      'Barack Obama',
      'Eminem',
    ]);
    const popular = knownPeople(rows, 'popularity');
    expect(popular.map(({ name }) => name).sort()).toEqual(people.map(({ name }) => name).sort());
    expect(popular[0]!.name).not.toBe('Michael Jackson');
  });

  it('has these majority answers', () => {
    expect(shown(people)).toEqual({
      born: '54 19 century 0.181',
      region: '6 Europe 0.579',
      occupation: '88 politician 0.198',
      nationality: '194 United States 0.202',
      gender: '2 Male 0.864',
      field: '8 institutions 0.271',
    });
  });
});

describe('P1238', () => {
  let wordNet: WordNetPeople;
  let joined: DeadPerson[];
  let people: Person[];
  beforeAll(() => {
    const { file, bytes } = read(wordNetFile);
    wordNet = readWordNet(utf8Text(file, bytes));
    joined = joinDeaths(rows, wordNet.dated);
    people = deadPeople(joined, 'views');
  });

  it('joins 1,238 people', () => {
    expect(wordNet).toMatchObject({ synsets: 82_192, persons: 3817 });
    expect(wordNet.dated).toHaveLength(2799);
    expect(joined).toHaveLength(1241);
    expect(people).toHaveLength(1238);
    expect(people.filter(({ gender }) => gender === 'Female')).toHaveLength(99);
    const complete = joined.filter(({ name }) => people.some((own) => own.name === name));
    expect(complete.filter(({ born }) => born! < 0)).toHaveLength(39);
    const ages = complete.map(({ born, died }) => died - born!);
    expect([Math.min(...ages), Math.max(...ages)]).toEqual([16, 101]);
    expect(people.filter(({ name }) => !name.includes(' '))).toHaveLength(79);
    const sameBin = people.filter(({ facts }) => facts[0]!.answers[0] === facts[1]!.answers[0]);
    expect(sameBin).toHaveLength(245);
  });

  it('has the most viewed first', () => {
    expect(people.slice(0, 6).map(({ name }) => name)).toEqual([
      'Adolf Hitler',
      'Albert Einstein',
      'Leonardo da Vinci',
      'William Shakespeare',
      'Abraham Lincoln',
      'Marilyn Monroe',
    ]);
  });

  it.each([
    ['Julius Caesar', '1 century BC | 1 century BC | Europe | politician | Italy | Male'],
    ['Johann Sebastian Bach', '17 century | 18 century | Europe | composer | Germany | Male'],
    ['Marie Curie', '19 century | 1930s | Europe | chemist | Poland | Female'],
    ['Albert Einstein', '19 century | 1950s | Europe | physicist | Germany | Male'],
  ])('%s', (name, answers) => {
    expect(answersOf(people.find((own) => own.name === name)!)).toBe(answers);
  });

  it('has these majority answers', () => {
    expect(shown(people)).toEqual({
      born: '31 19 century 0.477',
      died: '42 19 century 0.186',
      region: '6 Europe 0.679',
      occupation: '64 writer 0.206',
      nationality: '65 United States 0.247',
      gender: '2 Male 0.920',
    });
  });
});

test('glosses give years in several ways', () => {
  const line = (gloss: string) =>
    `11111111 18 n 02 Ann_Other 0 A._Other 0 001 @i 09876543 n 0000 | an invented person ${gloss}  `;
  const dated = (gloss: string) => readWordNet(line(gloss)).dated.map(({ born, died }) => [born, died])[0];
  expect(dated('(1879-1955)')).toEqual([1879, 1955]);
  expect(dated('(384-322 BC)')).toEqual([-384, -322]);
  expect(dated('(63 BC - 14)')).toEqual([-63, 14]);
  expect(dated('(born in Atlantis; circa 1401?-1464?)')).toEqual([1401, 1464]);
  expect(dated('(ca. 570-ca. 632)')).toEqual([570, 632]);
  expect(dated('without years')).toBeUndefined();
  expect(readWordNet(line('(1879-1955)')).dated[0]!.names).toEqual(['Ann Other', 'A. Other']);
  expect(readWordNet(line('(1879-1955)').replace('@i', '@')).persons).toBe(0);
});

test('names are joined without accents and signs', () => {
  expect(nameKey("François-Marie d'Arouet")).toBe('francoismarie darouet');
});
