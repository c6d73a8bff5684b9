import { UserError } from '../../errors.js';
import { isJsonObject, shown, type JsonObject } from './json.js';
import type { CheckedTokenizer } from './tokenizer-json.js';

/** A file beside a tokenizer that says which tokens are special. */
export interface SpecialTokenFile {
  /** What messages call it. */
  readonly source: string;
  readonly content: JsonObject;
}

/** The files of a folder that name special tokens; null for those that are missing. */
export interface SpecialTokenFiles {
  /** `tokenizer_config.json` */
  readonly tokenizerConfig: SpecialTokenFile | null;
  /** `special_tokens_map.json` */
  readonly specialTokensMap: SpecialTokenFile | null;
  /** `config.json` */
  readonly config: SpecialTokenFile | null;
}

/** Ids of special tokens; null for a token that the tokenizer does not have. */
export interface SpecialIds {
  /** Begin of a text. */
  readonly bosId: number | null;
  /** End of a text. */
  readonly eosId: number | null;
  /** Padding. */
  readonly padId: number | null;
  /** Unknown text. */
  readonly unkId: number | null;
}

type Role = 'bos' | 'eos' | 'pad' | 'unk';

/** What these tokens are usually called; where no file says which they are, the first special added token of these names. */
const usualNames: Readonly<Record<Role, readonly string[]>> = {
  bos: ['<s>', '<bos>'],
  eos: ['<|endoftext|>', '</s>', '<eos>'],
  pad: ['<pad>', '[PAD]', '<|padding|>'],
  unk: ['<unk>', '[UNK]'],
};

/**
 * Finds the special tokens. In this order: `tokenizer_config.json` and `special_tokens_map.json` (by name), `config.json`
 * (by id), the model of `tokenizer.json` (unknown text), usual names. A name that belongs to a foreign token that was left
 * out counts as not given.
 * Throws a UserError for a name or an id that is no token.
 */
export function specialIds(tokenizer: CheckedTokenizer, files: SpecialTokenFiles): SpecialIds {
  const find = (role: Role): number | null =>
    namedId(tokenizer, role, files.tokenizerConfig) ??
    namedId(tokenizer, role, files.specialTokensMap) ??
    numberedId(tokenizer, role, files.config) ??
    (role === 'unk' ? unknownId(tokenizer) : null) ??
    usualId(tokenizer, role);
  return { bosId: find('bos'), eosId: find('eos'), padId: find('pad'), unkId: find('unk') };
}

function namedId(
  { ids, dropped }: CheckedTokenizer,
  role: Role,
  file: SpecialTokenFile | null,
): number | null {
  if (file === null) return null;
  const key = `${role}_token`;
  const entry = file.content[key] ?? null;
  const name = isJsonObject(entry) ? entry['content'] : entry;
  if (name === null || (typeof name === 'string' && dropped.includes(name))) return null;
  const id = typeof name === 'string' ? ids.get(name) : undefined;
  if (id === undefined)
    throw new UserError(`${file.source}: ${key} is ${shown(name)}, which is no token of the tokenizer`);
  return id;
}

function numberedId({ ids }: CheckedTokenizer, role: Role, file: SpecialTokenFile | null): number | null {
  if (file === null) return null;
  const key = `${role}_token_id`;
  const entry = file.content[key] ?? null;
  // Models that may end in several ways list them.
  const id: unknown = Array.isArray(entry) ? entry[0] : entry;
  if (id === null || id === -1) return null;
  for (const known of ids.values()) if (known === id) return known;
  throw new UserError(`${file.source}: ${key} is ${shown(id)}, which is no token of the tokenizer`);
}

function unknownId({ ids, json: { model } }: CheckedTokenizer): number | null {
  if (model.type === 'Unigram') return model.unk_id;
  return model.unk_token === null ? null : (ids.get(model.unk_token) ?? null);
}

function usualId({ json }: CheckedTokenizer, role: Role): number | null {
  for (const name of usualNames[role]) {
    const found = json.added_tokens.find(({ content, special }) => special && content === name);
    if (found !== undefined) return found.id;
  }
  return null;
}
