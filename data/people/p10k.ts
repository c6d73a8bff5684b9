import { convertYear } from '../facts/year.js';
import type { PantheonPerson } from './pantheon.js';
import { isGender, type Person } from './person.js';
import { peopleQuestions } from './questions.js';
import { byFame } from './selection.js';

/** How famous a person of Pantheon is: by page views, or by the historical popularity index. */
export const fames = ['views', 'popularity'] as const;

export type Fame = (typeof fames)[number];

const plainName = /^[\p{L}\p{N}_ \-'.]+$/u;

/**
 * People of whom everything but the death is known, with six questions each, most famous first. Of two people with the same
 * name the one with more page views is taken.
 */
export function knownPeople(rows: readonly PantheonPerson[], fame: Fame): Person[] {
  const byName = new Map<string, Person>();
  for (const row of rows.toSorted((a, b) => b.views - a.views)) {
    const person = knownPerson(row, fame);
    if (person !== null && !byName.has(person.name)) byName.set(person.name, person);
  }
  return [...byName.values()].sort(byFame);
}

/** A person with six questions; null where one of their answers is not known or the name has other characters than letters. */
export function knownPerson(row: PantheonPerson, fame: Fame): Person | null {
  const { name, born, gender, continent, country, occupation, industry, domain } = row;
  if (born === null || gender === null || continent === null || country === null) return null;
  if (occupation === null || industry === null || domain === null) return null;
  if (!isGender(gender) || !plainName.test(name)) return null;
  return {
    name,
    gender,
    fame: row[fame],
    facts: [
      { question: peopleQuestions.born, answers: [convertYear(born)] },
      { question: peopleQuestions.region, answers: [continent] },
      { question: peopleQuestions.occupation, answers: [occupation] },
      { question: peopleQuestions.nationality, answers: [country] },
      { question: peopleQuestions.gender, answers: [gender] },
      { question: peopleQuestions.field, answers: [domain] },
    ],
  };
}
