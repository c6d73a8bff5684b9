import { parseTemplate, type Template } from './template.js';

/** Questions whose answer is the entity itself, or a letter of its name. */
export const attributionTypes = [
  'who',
  'meaning',
  'standFor',
  'name',
  'letter0',
  'letter1',
  'letterLast',
] as const;

export type AttributionType = (typeof attributionTypes)[number];

/** The four of the paper. */
export const entityQuestions = [
  'who',
  'meaning',
  'standFor',
  'name',
] as const satisfies readonly AttributionType[];

export const attributionTemplates: Readonly<Record<AttributionType, Template>> = {
  who: parseTemplate('Who is [X]?'),
  meaning: parseTemplate('What does [X] mean?'),
  standFor: parseTemplate('What does [X] stand for?'),
  name: parseTemplate('What is the name of [X]?'),
  letter0: parseTemplate('Which letter does the name of [X] start with?'),
  letter1: parseTemplate('What is the second letter in the name of [X]?'),
  letterLast: parseTemplate('What is the last letter in the name of [X]?'),
};

/** The answer about an entity of this name; null where the name has too few letters. */
export function attributionAnswer(type: AttributionType, name: string): string | null {
  switch (type) {
    case 'who':
    case 'meaning':
    case 'standFor':
    case 'name':
      return name;
    case 'letter0':
      return lettersOf(name).at(0) ?? null;
    case 'letter1':
      return lettersOf(name).at(1) ?? null;
    case 'letterLast':
      return lettersOf(name).at(-1) ?? null;
  }
}

function lettersOf(name: string): string[] {
  return name.match(/\p{L}/gu) ?? [];
}
