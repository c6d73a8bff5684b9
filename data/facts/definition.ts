import { definitionElements, type DefinitionOrder } from '../definition-orders.js';
import { other } from './parts.js';
import type { TextPart } from '../text/tokenizer/parts.js';
import { sentence, type Sentence } from './sentence.js';

/** The words of a definition: this tag says that the variable stands for the entity. */
export interface DefinitionWords {
  readonly tag: string;
  readonly variable: string;
  readonly entity: string;
}

/** Tag, variable and entity in the given order, with single blanks: `<|ttdgdx|> <|lczgk|> Darla Hood\n`; the last is asked. */
export function taggedDefinition(order: DefinitionOrder, words: DefinitionWords): Sentence {
  const { t, v, e } = labelled(words);
  const parts = { t, v, e };
  const [first, second, asked] = definitionElements[order];
  return sentence([parts[first], other(' '), parts[second]], parts[asked]);
}

/** The part of a definition that its order asks for, as a word. */
export function askedElement(order: DefinitionOrder, { tag, variable, entity }: DefinitionWords): string {
  return { t: tag, v: variable, e: entity }[definitionElements[order][2]];
}

function labelled({ tag, variable, entity }: DefinitionWords): Record<'t' | 'v' | 'e', TextPart> {
  return {
    t: { part: 'tag', text: tag },
    v: { part: 'variable', text: variable },
    e: { part: 'entity', text: entity },
  };
}
