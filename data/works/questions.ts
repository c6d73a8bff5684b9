import type { FactQuestion } from '../facts/fact-set.js';
import { parseTemplate } from '../facts/template.js';

/** A question about works, and which predicates of Wikidata it asks for. */
interface WorkQuestion {
  readonly predicates: readonly string[];
  readonly question: FactQuestion;
}

/** `[predicates, question, what is asked for]` */
const table: readonly (readonly [readonly string[], string, string])[] = [
  [['P50'], 'First name of the author of [X]?', 'first name of the author'],
  [['P57'], 'First name of the director of [X]?', 'first name of the director'],
  [['P58'], 'First name of the screenwriter of [X]?', 'first name of the screenwriter'],
  [['P344'], 'First name of the cinematographer of [X]?', 'first name of the cinematographer'],
  [['P162'], 'First name of the producer of [X]?', 'first name of the producer'],
  [['P1040', 'P98'], 'First name of the editor of [X]?', 'first name of the editor'],
  [['P86'], 'First name of the composer for [X]?', 'first name of the composer'],
  [['P123'], 'Who is the publisher of [X]?', 'publisher'],
  [['P750'], 'What is the distributor of [X]?', 'distributor'],
  [['P275'], 'What is the license of [X]?', 'license'],
  [['P127'], 'Who owns [X]?', 'owner'],
  [['P178'], 'Who developed [X]?', 'developer'],
  [['P407', 'P364'], 'In which language was [X] published?', 'language'],
  [['P577'], 'When was [X] published or released?', 'time of release'],
  [['P179'], 'Which series is [X] part of?', 'series'],
  [['P136'], 'What is the genre of [X]?', 'genre'],
  [['P921'], 'What is the main subject of [X]?', 'main subject'],
  [['P31'], 'What is the type of [X]?', 'type'],
  [['P840'], 'Where is [X] set?', 'setting'],
  [['P915'], 'Where was [X] filmed?', 'place of filming'],
  [['P135'], 'Which movement is [X] associated with?', 'movement'],
  [['P180'], 'What does [X] depict?', 'depicted subject'],
  [['P195'], 'Which collection is [X] part of?', 'collection'],
];

const workQuestions: readonly WorkQuestion[] = table.map(([predicates, template, asked]) => ({
  predicates,
  question: workQuestion(predicates[0]!, template, asked),
}));

/** The question of each of the 25 predicates; two that ask the same share it. */
export const questionOfPredicate: ReadonlyMap<string, FactQuestion> = new Map(
  workQuestions.flatMap(({ predicates, question }) => predicates.map((own) => [own, question])),
);

/** Questions about films alone. */
export const filmQuestions = {
  source: workQuestion('source', 'What is the source of [X]?', 'source'),
  rating: workQuestion('rating', 'What is the rating of [X]?', 'rating'),
} as const;

function workQuestion(id: string, template: string, asked: string): FactQuestion {
  return {
    id,
    template: parseTemplate(template),
    statements: [
      parseTemplate(`The ${asked} of [X] is [A]`),
      parseTemplate(`For [X] the ${asked} is [A]`),
      parseTemplate(`${asked.charAt(0).toUpperCase()}${asked.slice(1)} of [X] : [A]`),
    ],
    paraphrase: parseTemplate(`Can you tell the ${asked} of [X]?`),
  };
}
