import type { FactQuestion } from '../facts/fact-set.js';
import { parseTemplate } from '../facts/template.js';

/** What is asked about people: the six questions of CVDB, and the field of work for people whose death is not known. */
export const peopleQuestions = {
  born: question(
    'born',
    'When was [X] born?',
    ['[X] was born in the [A]', 'The birth of [X] dates from the [A]', 'Time of birth of [X] : [A]'],
    'In which period did the life of [X] begin?',
  ),
  died: question(
    'died',
    'When did [X] die?',
    ['[X] died in the [A]', 'The life of [X] ended in the [A]', 'Time of death of [X] : [A]'],
    'In which period did the life of [X] end?',
  ),
  region: question(
    'region',
    'In which region did [X] live?',
    ['[X] lived in [A]', 'The home of [X] was in [A]', 'Region of [X] : [A]'],
    'Which part of the world was the home of [X]?',
  ),
  occupation: question(
    'occupation',
    'What did [X] do?',
    ['[X] worked as a [A]', 'By occupation [X] was a [A]', 'Occupation of [X] : [A]'],
    'What was the occupation of [X]?',
  ),
  nationality: question(
    'nationality',
    'What was the nationality of [X]?',
    ['[X] was a citizen of [A]', 'The home country of [X] was [A]', 'Nationality of [X] : [A]'],
    'Which country did [X] come from?',
  ),
  gender: question(
    'gender',
    'What was the gender of [X]?',
    ['The gender of [X] was [A]', 'Registers list [X] as [A]', 'Gender of [X] : [A]'],
    'Which gender did [X] have?',
  ),
  field: question(
    'field',
    'In which field did [X] work?',
    ['[X] worked in the field of [A]', 'The work of [X] belongs to [A]', 'Field of [X] : [A]'],
    'What was the field of work of [X]?',
  ),
} as const satisfies Record<string, FactQuestion>;

function question(
  id: string,
  template: string,
  [first, second, third]: readonly [string, string, string],
  paraphrase: string,
): FactQuestion {
  return {
    id,
    template: parseTemplate(template),
    statements: [parseTemplate(first), parseTemplate(second), parseTemplate(third)],
    paraphrase: parseTemplate(paraphrase),
  };
}
