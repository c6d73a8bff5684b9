import { other } from './parts.js';
import { sentence, type Sentence } from './sentence.js';
import type { DefinitionWords } from './definition.js';

/**
 * Definitions in natural language: a source of the text is their tag. The two lists are of equal length, and sources of
 * the same place have as many words, so that nothing but trust tells the kinds apart and a tag can be exchanged for its
 * counterpart.
 */
export const reportingSources = {
  reliable: [
    'The national newspaper reports that',
    'The medical journal confirms that',
    'The public broadcaster says that',
    'A peer reviewed article states that',
    'The printed encyclopedia says that',
    'The university press writes that',
    'The evening news confirms that',
    'The history journal reports that',
    'The national archive shows that',
    'A respected biographer writes that',
    'The science magazine explains that',
    'The library catalogue says that',
  ],
  unreliable: [
    'The village gossip claims that',
    'The anonymous forum insists that',
    'The chain letter says that',
    'A deleted social post claims that',
    'The celebrity rumour says that',
    'The angry commenter writes that',
    'The tabloid headline screams that',
    'The conspiracy blog reports that',
    'The viral video shows that',
    'A drunken stranger swears that',
    'The fake profile explains that',
    'The spam message says that',
  ],
} as const;

/** `{source} {variable} now stands for {entity}\n`; the source is the tag. */
export function reportedDefinition({ tag, variable, entity }: DefinitionWords): Sentence {
  return sentence(
    [{ part: 'tag', text: tag }, other(' '), { part: 'variable', text: variable }, other(' now stands for')],
    { part: 'entity', text: entity },
  );
}
