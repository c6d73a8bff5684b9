import { UserError } from '../errors.js';
import type { PartKind } from '../pieces.js';
import type { Text } from '../text/rows.js';
import { encodeParts } from '../text/tokenizer/parts.js';
import type { Tokenizer } from '../text/tokenizer/tokenizer.js';
import type { FactRow } from './rows.js';

/**
 * How a model reads a text: `causal` continues one; `seq2seq` reads the question with its encoder (of a definition its first
 * two elements) and writes the answer with its decoder.
 */
export const textFormats = ['causal', 'seq2seq'] as const;

export type TextFormat = (typeof textFormats)[number];

/** A row in tokens; of the format seq2seq source and answer one after the other, each with the token that ends a text. */
export interface EncodedRow extends Text {
  readonly answerLength: number;
  /** What each token belongs to. */
  readonly parts: readonly PartKind[];
}

/** Makes the texts of a run into tokens. */
export interface FactEncoder {
  /** Tokens that have no table of their own; tags, then variables, have the ids from here on. */
  readonly vocabularySize: number;
  /** Tags and variables with a table of their own. */
  readonly tags: number;
  readonly variables: number;
  readonly padToken: number;
  /** Tokens of a random name of so many letters, at most. */
  nameLength(letters: number, brackets: boolean): number;
  /** Throws a UserError for a text with a name that has no token of its own. */
  encode(row: Pick<FactRow, 'parts' | 'question'>): EncodedRow;
  decode(tokens: Iterable<number>): string;
}

/**
 * Where the answer of a row begins, as a place among its parts: the first that the question does not reach. The number of parts
 * where nothing is asked.
 */
function answerPart({ parts, question }: Pick<FactRow, 'parts' | 'question'>): number {
  if (question === '') return parts.length;
  let length = 0;
  const place = parts.findIndex(({ text }) => {
    const start = length;
    length += text.length;
    return start >= question.length;
  });
  if (place < 0) throw new Error('a question has no answer behind it');
  return place;
}

/** An encoder by a tokenizer, to which variables and tags are text like any other. */
export function textEncoder(tokenizer: Tokenizer, format: TextFormat): FactEncoder {
  // Published causal models are trained with the end of a text in place of padding; an encoder has a token that it hides.
  const { padId, eosId } = tokenizer;
  const padToken = format === 'causal' ? (eosId ?? padId) : (padId ?? eosId);
  if (padToken === null) {
    throw new UserError(
      'data.tokenizer: it has neither a token for padding nor one for the end of a text; name one in tokenizer_config.json',
    );
  }
  const end = eosId ?? padToken;
  const encode = (row: Pick<FactRow, 'parts' | 'question'>): EncodedRow => {
    const first = answerPart(row);
    if (format === 'seq2seq') {
      const source = encodeParts(tokenizer, row.parts.slice(0, first));
      const answer = encodeParts(tokenizer, row.parts.slice(first));
      const parts: PartKind[] = [...source.parts, 'other', ...answer.parts, 'other'];
      return {
        tokens: [...source.ids, end, ...answer.ids, end],
        parts,
        answerLength: answer.ids.length + 1,
        variableAt: source.parts.indexOf('variable'),
      };
    }
    const { ids, parts, indices } = encodeParts(tokenizer, row.parts);
    return {
      tokens: ids,
      parts,
      answerLength: indices.filter((place) => place >= first).length,
      variableAt: parts.indexOf('variable'),
    };
  };
  /** Rows about real names alone, which are the same for every seed. */
  const known = new Map<string, EncodedRow>();
  return {
    vocabularySize: tokenizer.size,
    tags: 0,
    variables: 0,
    padToken,
    // No token of the published tokenizers crosses the border of letters and signs.
    nameLength: (letters, brackets) =>
      brackets ? tokenizer.encode(' <|').length + letters + tokenizer.encode('|>').length : letters + 1,
    encode(row) {
      if (row.parts.some(({ part }) => part === 'variable' || part === 'tag')) return encode(row);
      const text = row.parts.map((own) => own.text).join('');
      const key = JSON.stringify([row.question.length, text]);
      const encoded = known.get(key) ?? encode(row);
      known.set(key, encoded);
      return encoded;
    },
    decode: (tokens) => tokenizer.decode([...tokens]),
  };
}

/** The names that get tokens of their own, in the order of their numbers. */
export interface OwnTokens {
  readonly tags: readonly string[];
  readonly variables: readonly string[];
}

/**
 * An encoder by a tokenizer of words, with one token for every tag and variable behind those of the tokenizer. Words never
 * straddle two parts, so that parts are encoded one by one, each text once.
 */
export function wordEncoder(tokenizer: Tokenizer, own: OwnTokens): FactEncoder {
  const { padId: padToken, size } = tokenizer;
  if (padToken === null) throw new Error('the tokenizer of words has no padding');
  const numbers = {
    tag: new Map(own.tags.map((text, i) => [text, size + i])),
    variable: new Map(own.variables.map((text, i) => [text, size + own.tags.length + i])),
  };
  const encoded = new Map<string, readonly number[]>();
  const idsOf = (part: PartKind, text: string): readonly number[] => {
    if (part === 'tag' || part === 'variable') {
      const id = numbers[part].get(text.trim());
      if (id === undefined) throw new Error(`no token for the ${part} ${text}`);
      return [id];
    }
    const known = encoded.get(text);
    if (known !== undefined) return known;
    const ids = tokenizer.encode(text);
    encoded.set(text, ids);
    return ids;
  };
  const names = [...own.tags, ...own.variables];
  return {
    vocabularySize: size,
    tags: own.tags.length,
    variables: own.variables.length,
    padToken,
    nameLength: () => 1,
    encode(row) {
      const first = answerPart(row);
      const tokens: number[] = [];
      const parts: PartKind[] = [];
      let answerLength = 0;
      row.parts.forEach(({ text, part }, place) => {
        const ids = idsOf(part, text);
        tokens.push(...ids);
        for (const _ of ids) parts.push(part);
        if (place >= first) answerLength += ids.length;
      });
      return { tokens, parts, answerLength, variableAt: parts.indexOf('variable') };
    },
    decode(tokens) {
      const words: string[] = [];
      let run: number[] = [];
      const flush = (): void => {
        if (run.length > 0) words.push(tokenizer.decode(run));
        run = [];
      };
      for (const token of tokens) {
        if (token < size) {
          run.push(token);
          continue;
        }
        flush();
        words.push(names[token - size] ?? `<token ${token}>`);
      }
      flush();
      return words.join(' ');
    },
  };
}
