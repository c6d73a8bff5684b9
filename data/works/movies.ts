import { z } from 'zod';
import { UserError } from '../errors.js';
import type { Fact, FactEntity } from '../facts/fact-set.js';
import { convertYear } from '../facts/year.js';
import type { PackagedFile } from '../files/source-files.js';
import { firstName } from './first-name.js';
import { filmQuestions, questionOfPredicate } from './questions.js';

/** Where the films are found. */
export const moviesFile: PackagedFile = {
  package: 'vega-datasets',
  version: '3.2.1',
  folder: 'data',
  file: 'movies.json',
  holds: 'the films',
  key: 'movies',
};

const text = z.string().nullable();

const moviesSchema = z.array(
  z.object({
    // "1776", "300" and "21" are numbers in the file.
    Title: z.union([z.string(), z.number()]).nullable(),
    'Release Date': text,
    Distributor: text,
    Source: text,
    'Major Genre': text,
    'Creative Type': text,
    'MPAA Rating': text,
    Director: text,
  }),
);

/** Titles in ASCII; others in the file are damaged. */
const plainTitle = /^[\w \-'.,:&!?]+$/;

/** Two films of the file are from 2039. */
const lastYear = 2012;

/** A film with its answers. */
interface Film {
  readonly title: string;
  readonly year: number;
  readonly answers: Readonly<Record<'distributor' | 'genre' | 'type' | 'source' | 'rating', string>>;
  readonly director: string | null;
}

/** Films after each step of cleaning. */
export interface Films {
  readonly rows: number;
  /** Rows with a title and six answers. */
  readonly complete: number;
  /** The first row of each title. */
  readonly unique: number;
  readonly entities: readonly FactEntity[];
}

/**
 * Reads `movies.json`: films with six or, where the first name of the director is known, seven questions, in the order of
 * the file. Throws a UserError for what is no such file.
 *
 * @param json its parsed content
 */
export function readMovies(file: string, json: unknown): Films {
  const parsed = moviesSchema.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new UserError(
      `${file}, film ${String(issue?.path[0])}: ${issue?.path.slice(1).join('.')}: ${issue?.message}; ` +
        `give the ${moviesFile.file} of ${moviesFile.package} ${moviesFile.version}`,
    );
  }
  const complete = parsed.data.flatMap((row): Film[] => {
    const year = /(\d{4})$/.exec(row['Release Date'] ?? '')?.[1];
    const { Title: title, Distributor: distributor, Source: source } = row;
    const { 'Major Genre': genre, 'Creative Type': type, 'MPAA Rating': rating } = row;
    if (title === null || year === undefined) return [];
    if (!distributor || !source || !genre || !type || !rating) return [];
    const director = row.Director === null ? null : firstName(row.Director);
    return [
      {
        title: String(title),
        year: Number(year),
        answers: { distributor, genre, type, source, rating },
        director,
      },
    ];
  });
  const byTitle = new Map<string, Film>();
  for (const film of complete) if (!byTitle.has(film.title)) byTitle.set(film.title, film);
  const unique = [...byTitle.values()];
  return {
    rows: parsed.data.length,
    complete: complete.length,
    unique: unique.length,
    entities: unique
      .filter(({ title, year }) => plainTitle.test(title) && year <= lastYear)
      .map((film) => ({ name: film.title, facts: factsOf(film) })),
  };
}

function factsOf({ year, answers, director }: Film): Fact[] {
  const asked = (predicate: string, answer: string): Fact => ({
    question: questionOfPredicate.get(predicate)!,
    answers: [answer],
  });
  return [
    asked('P577', convertYear(year)),
    asked('P750', answers.distributor),
    asked('P136', answers.genre),
    asked('P31', answers.type),
    { question: filmQuestions.source, answers: [answers.source] },
    { question: filmQuestions.rating, answers: [answers.rating] },
    ...(director === null ? [] : [asked('P57', director)]),
  ];
}
