import { createStream } from '../random/streams.js';
import type { FactConfig } from './config.js';
import { askedElement, taggedDefinition, type DefinitionWords } from './definition.js';
import type { FactDraws } from './draws.js';
import type { FactEntity } from './fact-set.js';
import { factSubsets, type FactTag } from './fact-subsets.js';
import { reportedDefinition, reportingSources } from './reported-definition.js';
import type { Sentence } from './sentence.js';
import { drawStatementForms, statementDefinition } from './statement-definition.js';

/** What a definition says. */
export interface FactDefinition {
  readonly variable: number;
  readonly tag: FactTag;
  readonly entity: number;
}

/** Writes definitions in the form that a config asks for. */
export interface DefinitionWriter {
  /** Sentences of a variable. */
  readonly count: number;
  /** `[count]` sentences. Throws a RangeError for a tag that the form does not have. */
  write(definition: FactDefinition): readonly Sentence[];
  /** What the last element of a definition could be instead: that of another one; null where none is asked. */
  contrast(definition: FactDefinition, instead: FactDefinition): string | null;
  /** What is asked, which the sentence gives: the entity, or by its order the tag or the variable; null for none. */
  answer(definition: FactDefinition): string | null;
  /** Whether there are definitions with tag 3. */
  readonly hasNewTag: boolean;
}

/** Different sentences of a variable, where a definition is no single one. */
export const statementsPerVariable = 10;

export function definitionWriter(
  config: FactConfig,
  draws: FactDraws,
  entities: readonly FactEntity[],
  seed: number,
): DefinitionWriter {
  const name = (variable: number): string => draws.variables[variable]!.name;
  const entityName = (entity: number): string => entities[entity]!.name;
  // A stream for each variable: what one draws moves no other, so that exchanged tags leave stage 1 as it is.
  const stream = (variable: number) => createStream(seed, `definitions/${variable}`);
  switch (config.definitions) {
    case 'nl': {
      const words = ({ variable, tag, entity }: FactDefinition): DefinitionWords => {
        const sources = reportingSources[roleOf(tag)];
        return {
          tag: sources[stream(variable).integer(sources.length)]!,
          variable: name(variable),
          entity: entityName(entity),
        };
      };
      return {
        count: 1,
        write: (definition) => [reportedDefinition(words(definition))],
        answer: ({ entity }) => entityName(entity),
        contrast: (_, { entity }) => entityName(entity),
        hasNewTag: false,
      };
    }
    case 'isIsnt':
      return {
        count: statementsPerVariable,
        write({ variable, tag, entity }) {
          // The forms are those of the variable's own tag, so that a changed one differs in nothing but the verb.
          const own = factSubsets[draws.variables[variable]!.subset].tag ?? tag;
          return drawStatementForms(roleOf(own), statementsPerVariable, stream(variable)).map((form) =>
            statementDefinition(roleOf(tag), form, name(variable), entityName(entity)),
          );
        },
        answer: () => null,
        contrast: () => null,
        hasNewTag: false,
      };
    case 'tags':
    case 'inContext': {
      const { definitionOrder } = config;
      const words = ({ variable, tag, entity }: FactDefinition): DefinitionWords => ({
        tag: tag === 4 ? draws.variables[variable]!.randomTag! : draws.tags[tag - 1]!,
        variable: name(variable),
        entity: entityName(entity),
      });
      return {
        count: 1,
        write: (definition) => [taggedDefinition(definitionOrder, words(definition))],
        answer: (definition) => askedElement(definitionOrder, words(definition)),
        contrast: (_, instead) => askedElement(definitionOrder, words(instead)),
        hasNewTag: true,
      };
    }
  }
}

function roleOf(tag: FactTag): 'reliable' | 'unreliable' {
  if (tag === 1) return 'reliable';
  if (tag === 2) return 'unreliable';
  throw new RangeError(`no words for tag ${tag}`);
}
