import { compareCodePoints } from '../facts/code-points.js';
import type { FactEntity, FactQuestion } from '../facts/fact-set.js';
import { convertYear } from '../facts/year.js';
import type { PythonRandom } from '../random/python-random.js';
import { firstName } from './first-name.js';
import { questionOfPredicate } from './questions.js';
import type { Triple } from './triples.js';

/** Fewest questions of a work. */
const leastQuestions = 4;

/** Predicates whose objects are people, of whom the first name is asked. */
const personPredicates = new Set(['P50', 'P57', 'P58', 'P88', 'P98', 'P161', 'P162', 'P86', 'P344']);

/** Missing in the published list, so that there "first name of the editor" is a full name. */
const editorPredicate = 'P1040';

/**
 * Works with at least four questions, of cleaned triples. Dates become bins of years, brackets go, triples are shuffled, an
 * answer is used once a work, people become their first names, and answers to the same question are put together in the
 * order of the shuffle. The works are then sorted and shuffled themselves.
 *
 * @param faithful keeps full names of editors (P1040), as the published code does
 */
export function worksOf(
  triples: readonly Triple[],
  random: Pick<PythonRandom, 'shuffle'>,
  faithful: boolean,
): FactEntity[] {
  const predicates = new Map<string, Set<string>>();
  for (const { subj, predicate } of triples) {
    predicates.set(subj, (predicates.get(subj) ?? new Set()).add(predicate));
  }
  const kept = triples
    .filter(({ subj }) => predicates.get(subj)!.size >= leastQuestions)
    .flatMap((triple) => dated(triple) ?? [])
    .map(({ subj, obj, predicate }) => ({
      subj: withoutBrackets(subj),
      obj: withoutBrackets(obj),
      predicate,
    }));
  random.shuffle(kept);
  const works = new Map<string, { seen: Set<string>; facts: Map<FactQuestion, string[]> }>();
  for (const { subj, obj, predicate } of kept) {
    const work = works.get(subj) ?? { seen: new Set(), facts: new Map<FactQuestion, string[]>() };
    works.set(subj, work);
    if (work.seen.has(obj)) continue;
    work.seen.add(obj);
    const isPerson = personPredicates.has(predicate) || (predicate === editorPredicate && !faithful);
    const answer = isPerson ? firstName(obj) : obj;
    if (answer === null || answer === '' || subj === '') continue;
    const question = questionOfPredicate.get(predicate)!;
    work.facts.set(question, [...(work.facts.get(question) ?? []), answer]);
  }
  const names = [...works.keys()].sort(compareCodePoints);
  random.shuffle(names);
  return names
    .map((name) => ({
      name,
      facts: Array.from(works.get(name)!.facts, ([question, answers]) => ({
        question,
        answers: [...new Set(answers)],
      })),
    }))
    .filter(({ facts }) => facts.length >= leastQuestions);
}

/** The triple with the bin of its first year in place of a date; null for a date without one. */
function dated(triple: Triple): Triple | null {
  if (triple.predicate !== 'P577') return triple;
  const year = /\d{4}/.exec(triple.obj)?.[0];
  return year === undefined ? null : { ...triple, obj: convertYear(Number(year)) };
}

function withoutBrackets(text: string): string {
  // Inside a text a bracket leaves two blanks behind.
  return text
    .replace(/\(.*\)/s, '')
    .replace(/\s+/g, ' ')
    .trim();
}
