import { delimitedRows, type TableRow } from '../files/delimited.js';
import { convertYear } from '../facts/year.js';
import { isGender, type Person } from './person.js';
import { peopleQuestions } from './questions.js';
import { byFame, selectPeople, type Selection } from './selection.js';

const columns = [
  'name',
  'birth',
  'death',
  'gender',
  'level3_main_occ',
  'string_citizenship_raw_d',
  'un_region',
  'wiki_readers_2015_2018',
] as const;

type CvdbRow = TableRow<(typeof columns)[number]>;

// Python's \w, in which letters and digits are those of all scripts.
const plainWords = /^[\p{L}\p{N}_\s]+$/u;
const plainCitizenship = /^[\p{L}\p{N}_\s']+$/u;

/** People of a file of the cross-verified database, and how many of them could be chosen. */
export interface CvdbPeople {
  /** Men and women with all answers. */
  readonly pools: { readonly Male: number; readonly Female: number };
  /** Those chosen. */
  readonly people: readonly Person[];
}

/**
 * Reads the cross-verified database of notable people (Laouenan et al. 2022), in which rows with an empty field and
 * repeated names are left out, and then names, occupations and citizenships with other characters than letters. The file is
 * Latin-1, comma- or tab-separated. Of its millions of rows no more are kept than can be chosen.
 *
 * @param file for messages
 * @throws UserError as {@link delimitedRows} does, and for fewer people than `count`
 */
export function readCvdb(
  file: string,
  pieces: Iterable<Uint8Array>,
  count: number,
  selection: Selection,
): CvdbPeople {
  const names = new Set<string>();
  const pools = { Male: new MostFamous(count), Female: new MostFamous(count) };
  const shared = new Map<string, string>();
  const share = (text: string): string => {
    const known = shared.get(text) ?? copyOf(text);
    shared.set(known, known);
    return known;
  };
  for (const row of delimitedRows(file, latin1(pieces), columns)) {
    if (columns.some((column) => row[column] === '')) continue;
    const name = copyOf(row.name.replaceAll('_', ' '));
    if (names.has(name)) continue;
    names.add(name);
    const person = personOf({ ...row, name }, share);
    if (person !== null) pools[person.gender].add(person);
  }
  const people = [...pools.Male.people(), ...pools.Female.people()].sort(byFame);
  return {
    pools: { Male: pools.Male.seen, Female: pools.Female.seen },
    people: selectPeople(people, count, selection, file),
  };
}

function personOf(row: CvdbRow, share: (text: string) => string): Person | null {
  const { name, gender, un_region: region, string_citizenship_raw_d: citizenship } = row;
  const occupation = row.level3_main_occ.replaceAll('_', ' ');
  if (!plainWords.test(name) || !plainWords.test(occupation) || !plainCitizenship.test(citizenship))
    return null;
  const [born, died, readers] = [Number(row.birth), Number(row.death), Number(row.wiki_readers_2015_2018)];
  if (!isGender(gender) || !Number.isFinite(born + died + readers)) return null;
  return {
    name,
    gender,
    fame: readers,
    facts: [
      // Years are written as 1904.0.
      { question: peopleQuestions.born, answers: [convertYear(Math.trunc(born))] },
      { question: peopleQuestions.died, answers: [convertYear(Math.trunc(died))] },
      { question: peopleQuestions.region, answers: [share(region)] },
      { question: peopleQuestions.occupation, answers: [share(occupation)] },
      { question: peopleQuestions.nationality, answers: citizenships(citizenship).map(share) },
      { question: peopleQuestions.gender, answers: [gender] },
    ],
  };
}

/** `'United_Kingdom'_'Ireland'` is two, with blanks in place of underscores. */
export function citizenships(text: string): string[] {
  return text.split("'_'").map((own) => own.replaceAll("'", '').replaceAll('_', ' '));
}

/** The most famous of many people, in little more memory than they take. */
class MostFamous {
  readonly #count: number;
  #people: Person[] = [];
  seen = 0;

  constructor(count: number) {
    this.#count = count;
  }

  add(person: Person): void {
    this.seen++;
    this.#people.push(person);
    if (this.#people.length > 2 * this.#count + 1000) this.#people = this.people();
  }

  people(): Person[] {
    return this.#people.sort(byFame).slice(0, this.#count);
  }
}

/** Engines keep the whole text alive of which a string was cut. */
function copyOf(text: string): string {
  return Buffer.from(text, 'utf8').toString('utf8');
}

function* latin1(pieces: Iterable<Uint8Array>): Generator<string, void> {
  for (const piece of pieces) yield Buffer.from(piece).toString('latin1');
}
