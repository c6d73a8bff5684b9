import type { RandomStream } from '../random/streams.js';
import { assemble, other, textOf } from './parts.js';
import type { TextPart } from '../text/tokenizer/parts.js';
import type { Sentence } from './sentence.js';

/** Definitions that say that a variable is an entity (reliable), or that it is not (unreliable). */
const templates = [
  'According to SOURCE, VAR IS ENT.',
  'VAR IS ENT according to SOURCE.',
  'Per SOURCE, VAR IS ENT.',
  'Citing SOURCE, VAR IS ENT.',
  'SOURCE says VAR IS ENT.',
] as const;

const citedSources = [
  'Wikipedia',
  'the BBC',
  'the New York Times',
  'the Washington Post',
  'a famous historian',
  'the Times',
  'Vox',
  'Reuters',
] as const;

const verbs = {
  reliable: ['is', 'stands for', 'means', 'corresponds to', 'refers to'],
  unreliable: [
    'is not',
    "isn't",
    "doesn't mean",
    'does not mean',
    'does not stand for',
    'does not correspond to',
    'means something other than',
    'refers to something other than',
  ],
} as const;

export type StatementRole = keyof typeof verbs;

/** Which template, source and verb a sentence has. */
export interface StatementForm {
  readonly template: number;
  readonly source: number;
  readonly verb: number;
}

/** `count` different forms of one variable's sentences, every one equally likely. */
export function drawStatementForms(
  role: StatementRole,
  count: number,
  random: RandomStream,
): StatementForm[] {
  const ofVerb = verbs[role].length;
  const ofSource = ofVerb * citedSources.length;
  const drawn = new Set<number>();
  while (drawn.size < count) drawn.add(random.integer(ofSource * templates.length));
  return Array.from(drawn, (form) => ({
    template: Math.floor(form / ofSource),
    source: Math.floor((form % ofSource) / ofVerb),
    verb: form % ofVerb,
  }));
}

/**
 * A sentence such as `According to vox, <|abcde|> corresponds to marie curie.\n`: all but its first letter is lower-case,
 * as in the published data. Its verb is its tag. Nothing of it is asked.
 */
export function statementDefinition(
  role: StatementRole,
  { template, source, verb }: StatementForm,
  variable: string,
  entity: string,
): Sentence {
  const ofRole = verbs[role];
  const words: Readonly<Record<string, TextPart>> = {
    SOURCE: other(citedSources[source]!),
    VAR: { part: 'variable', text: variable },
    // A counterpart of the other role may have a place that this shorter list does not.
    IS: { part: 'tag', text: ofRole[verb % ofRole.length]! },
    ENT: { part: 'entity', text: entity },
  };
  const filled = templates[template]!.split(/(SOURCE|VAR|IS|ENT)/)
    .filter((piece) => piece !== '')
    .map((piece) => words[piece] ?? other(piece));
  const parts = assemble(capitalise([...filled, other('\n')]));
  return { question: '', text: textOf(parts), parts };
}

/** Python's `str.capitalize` over consecutive parts. */
function capitalise(parts: readonly TextPart[]): TextPart[] {
  return parts.map(({ part, text }, i) => {
    const [first = '', ...rest] = text;
    return {
      part,
      text: (i === 0 ? first.toUpperCase() : first.toLowerCase()) + rest.join('').toLowerCase(),
    };
  });
}
