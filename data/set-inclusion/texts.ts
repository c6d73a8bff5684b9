import { definitionElements, type DefinitionElement, type DefinitionOrder } from '../definition-orders.js';
import type { PartKind } from '../pieces.js';
import type { Tag } from '../subsets.js';
import type { Text } from '../text/rows.js';
import type { Vocabulary } from './vocabulary.js';

/** A definition: this tag says that the variable stands for the number. */
export interface Definition {
  readonly tag: Tag;
  readonly variable: number;
  readonly number: number;
}

/** `v n1 ... nk true`, in format paper `v % n1 ... nk = true`; the answer is the last token. */
export function questionText(
  vocabulary: Vocabulary,
  variable: number,
  list: ArrayLike<number>,
  answer: boolean,
): Text {
  const { separators } = vocabulary;
  const tokens = [vocabulary.variable(variable)];
  if (separators) tokens.push(separators.percent);
  for (let i = 0; i < list.length; i++) tokens.push(vocabulary.number(list[i]!));
  if (separators) tokens.push(separators.equals);
  tokens.push(vocabulary.truth(answer));
  const last = tokens.length - 1;
  const parts = tokens.map((_, i): PartKind => (i === 0 ? 'variable' : i === last ? 'answer' : 'other'));
  return { tokens, variableAt: 0, parts };
}

const elementKinds = { t: 'tag', v: 'variable', e: 'entity' } as const satisfies Record<
  DefinitionElement,
  PartKind
>;

/** Tag, variable and number in the given order, in format paper with `%` before the last: `define1 ukj % 63`. */
export function definitionText(vocabulary: Vocabulary, order: DefinitionOrder, definition: Definition): Text {
  const words = {
    t: vocabulary.tag(definition.tag),
    v: vocabulary.variable(definition.variable),
    e: vocabulary.number(definition.number),
  };
  const tokens: number[] = [];
  const parts: PartKind[] = [];
  for (const element of definitionElements[order]) {
    tokens.push(words[element]);
    parts.push(elementKinds[element]);
  }
  let variableAt = order.indexOf('v');
  if (vocabulary.separators) {
    tokens.splice(2, 0, vocabulary.separators.percent);
    parts.splice(2, 0, 'other');
    if (variableAt === 2) variableAt = 3;
  }
  return { tokens, variableAt, parts };
}

/**
 * A wrong answer to a definition: another number (`otherNumber`), the other tag (tag 1 for the new tag), or the name
 * of the next variable, whichever the order asks for.
 */
export function definitionContrast(
  vocabulary: Vocabulary,
  order: DefinitionOrder,
  definition: Definition,
  otherNumber: number,
  variables: number,
): number {
  const asked = definitionElements[order][2];
  if (asked === 'e') return vocabulary.number(otherNumber);
  if (asked === 't') return vocabulary.tag(otherTag(definition.tag));
  // Names are in random order, so that the next one is as good as one drawn.
  return vocabulary.variable((definition.variable + 1) % variables);
}

/** The tag a tag is exchanged with: 1 and 2 with each other, the new tag with the reliable one. */
export function otherTag(tag: Tag): Tag {
  return tag === 1 ? 2 : 1;
}
