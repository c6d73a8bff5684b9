import { convertYear } from '../facts/year.js';
import type { Fame } from './p10k.js';
import type { PantheonPerson } from './pantheon.js';
import { isGender, type Person } from './person.js';
import { peopleQuestions } from './questions.js';
import { byFame } from './selection.js';
import type { DatedPerson } from './wordnet.js';

/** A person of Pantheon whose year of death is known. */
export interface DeadPerson extends PantheonPerson {
  readonly died: number;
}

/** A name without accents, case and signs, by which two sources are joined. */
export function nameKey(name: string): string {
  return name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z ]/g, '')
    .trim();
}

/** People of Pantheon whom WordNet names and says to be born in the same year, or one earlier or later. */
export function joinDeaths(rows: readonly PantheonPerson[], dated: readonly DatedPerson[]): DeadPerson[] {
  const byKey = new Map<string, DatedPerson[]>();
  for (const person of dated) {
    for (const key of new Set(person.names.map(nameKey))) {
      byKey.set(key, [...(byKey.get(key) ?? []), person]);
    }
  }
  return rows.flatMap((row) => {
    const { born } = row;
    if (born === null) return [];
    const same = byKey.get(nameKey(row.name))?.find((person) => Math.abs(person.born - born) <= 1);
    return same === undefined ? [] : [{ ...row, died: same.died }];
  });
}

/** People with the exact six questions of CVDB, most famous first. */
export function deadPeople(joined: readonly DeadPerson[], fame: Fame): Person[] {
  const people = joined.flatMap((row): Person[] => {
    const { name, born, died, gender, continent, country, occupation } = row;
    if (born === null || gender === null || continent === null || country === null) return [];
    if (occupation === null || !isGender(gender) || died <= born) return [];
    return [
      {
        name,
        gender,
        fame: row[fame],
        facts: [
          { question: peopleQuestions.born, answers: [convertYear(born)] },
          { question: peopleQuestions.died, answers: [convertYear(died)] },
          { question: peopleQuestions.region, answers: [continent] },
          { question: peopleQuestions.occupation, answers: [occupation] },
          { question: peopleQuestions.nationality, answers: [country] },
          { question: peopleQuestions.gender, answers: [gender] },
        ],
      },
    ];
  });
  const byName = new Map<string, Person>();
  for (const person of people.sort(byFame)) {
    if (!byName.has(person.name)) byName.set(person.name, person);
  }
  return [...byName.values()];
}
