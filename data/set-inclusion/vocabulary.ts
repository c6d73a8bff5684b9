import { allNames } from '../names.js';
import type { Tag } from '../subsets.js';
import type { SetInclusionConfig } from './config.js';

/** Token ids of a run. */
export interface Vocabulary {
  /** Input tokens that are no variables with a table of their own. */
  readonly size: number;
  /** Variables with a table of their own: token `size + i` is variable i. */
  readonly variables: number;
  /** Tokens that can be answered: ids below this number. */
  readonly outputSize: number;
  readonly padToken: number;
  number(value: number): number;
  truth(answer: boolean): number;
  /** Throws a RangeError for tag 3 where {@link Vocabulary.hasNewTag} is false. */
  tag(tag: Tag): number;
  /** Whether there is a token for tag 3. */
  readonly hasNewTag: boolean;
  variable(index: number): number;
  /** The separators `%` and `=`, or null where the format has none. */
  readonly separators: { readonly percent: number; readonly equals: number } | null;
  /** The words of `tokens`, with single spaces. */
  decode(tokens: Iterable<number>): string;
}

/** Sizes of the vocabulary of a config: those of {@link vocabularyOf}, without the words. */
export function vocabularySizes(
  config: SetInclusionConfig,
): Pick<Vocabulary, 'size' | 'variables' | 'outputSize' | 'padToken'> {
  const { format, names, variables, maxNumber } = config;
  if (format === 'compact') {
    const size = maxNumber + 1 + 1 + (config.fractions.d3consis > 0 ? 3 : 2) + 2;
    return { size, variables, outputSize: size, padToken: maxNumber + 1 };
  }
  const size = 9 + 100 + 26 + (names === 'all' ? 26 ** 3 : variables);
  return { size, variables: 0, outputSize: size, padToken: 0 };
}

/** The vocabulary of a run's format. `variableNames[i]` is the name of variable i. */
export function vocabularyOf(config: SetInclusionConfig, variableNames: readonly string[]): Vocabulary {
  return config.format === 'compact'
    ? compactVocabulary(config, variableNames)
    : paperVocabulary(config, variableNames);
}

/**
 * Ids in this order: the numbers 0 .. maxNumber, `[PAD]`, `define1`, `define2`, `define3` (only where d3consis has
 * variables), `true`, `false`; then, as inputs only, the variables.
 */
function compactVocabulary(config: SetInclusionConfig, variableNames: readonly string[]): Vocabulary {
  const hasNewTag = config.fractions.d3consis > 0;
  const tags = hasNewTag ? ['define1', 'define2', 'define3'] : ['define1', 'define2'];
  const words = [...numberWords(config.maxNumber), '[PAD]', ...tags, 'true', 'false'];
  const pad = config.maxNumber + 1;
  const yes = pad + tags.length + 1;
  return {
    size: words.length,
    variables: variableNames.length,
    outputSize: words.length,
    padToken: pad,
    number: (value) => value,
    truth: (answer) => (answer ? yes : yes + 1),
    tag(tag) {
      if (tag === 3 && !hasNewTag) throw new RangeError('no token for tag 3: d3consis has no variables');
      return pad + tag;
    },
    hasNewTag,
    variable: (index) => words.length + index,
    separators: null,
    decode: decoder([...words, ...variableNames]),
  };
}

/**
 * The authors' word-level vocabulary: `[PAD] [UNK] = %`, `true false define1 define2 define3`, `0` .. `99`,
 * `a` .. `z`, then variable names in alphabetical order, either all of three letters (17,711 words) or the run's.
 * Variables are words like any other.
 */
function paperVocabulary(config: SetInclusionConfig, variableNames: readonly string[]): Vocabulary {
  const words = [
    '[PAD] [UNK] = % true false define1 define2 define3'.split(' '),
    numberWords(99),
    allNames(1),
    config.names === 'all' ? allNames(3) : variableNames.toSorted(),
  ].flat();
  const ids = new Map(words.map((word, id) => [word, id]));
  const variableIds = Int32Array.from(variableNames, (name) => ids.get(name)!);
  return {
    size: words.length,
    variables: 0,
    outputSize: words.length,
    padToken: 0,
    number: (value) => 9 + value,
    truth: (answer) => (answer ? 4 : 5),
    tag: (tag) => 5 + tag,
    hasNewTag: true,
    variable: (index) => variableIds[index]!,
    separators: { percent: 3, equals: 2 },
    decode: decoder(words),
  };
}

function numberWords(max: number): string[] {
  return Array.from({ length: max + 1 }, (_, number) => String(number));
}

function decoder(words: readonly string[]): (tokens: Iterable<number>) => string {
  return (tokens) => Array.from(tokens, (token) => words[token] ?? '[UNK]').join(' ');
}
