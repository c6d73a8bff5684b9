import { UserError } from '../../errors.js';
import { foreignFrom, type VocabularySizes } from './foreign-tokens.js';
import { canonicalJson, isJsonObject, shown, type JsonObject } from './json.js';

/** A normalizer, pre-tokenizer, post-processor or decoder of a `tokenizer.json`. */
export interface TokenizerComponent {
  readonly type: string;
  readonly [key: string]: unknown;
}

/** A token that is looked for in the text before the model sees it. */
export interface AddedToken {
  readonly id: number;
  readonly content: string;
  /** Always false: see {@link readTokenizerJson}. */
  readonly single_word: boolean;
  /** Whether blanks before it belong to it. */
  readonly lstrip: boolean;
  /** Whether blanks after it belong to it. */
  readonly rstrip: boolean;
  /** Whether it is looked for in the normalized text instead of the text as given. */
  readonly normalized: boolean;
  /** Whether it is a mark and no text: what `skipSpecial` leaves out. */
  readonly special: boolean;
}

interface ModelBase {
  /** Token that stands for what the model does not know; null for none. */
  readonly unk_token: string | null;
  readonly byte_fallback: boolean;
  readonly vocab: Readonly<Record<string, number>>;
  readonly [key: string]: unknown;
}
export interface BpeModel extends ModelBase {
  readonly type: 'BPE';
  /** Pairs of tokens, the first merged first. */
  readonly merges: readonly (readonly [string, string])[];
}
export interface WordModel extends ModelBase {
  readonly type: 'WordPiece' | 'WordLevel';
}
export interface UnigramModel {
  readonly type: 'Unigram';
  readonly unk_id: number | null;
  readonly byte_fallback: boolean;
  /** Token and log probability; its place is its id. */
  readonly vocab: readonly (readonly [string, number])[];
  readonly [key: string]: unknown;
}
export type TokenizerModel = BpeModel | WordModel | UnigramModel;

/** A `tokenizer.json` in one layout, whatever version wrote it. */
export interface TokenizerJson {
  readonly version: string;
  readonly added_tokens: readonly AddedToken[];
  readonly normalizer: TokenizerComponent | null;
  readonly pre_tokenizer: TokenizerComponent | null;
  readonly post_processor: TokenizerComponent | null;
  readonly decoder: TokenizerComponent | null;
  readonly model: TokenizerModel;
}

/** A checked `tokenizer.json` and what was left out of it. */
export interface CheckedTokenizer {
  readonly json: TokenizerJson;
  /** Every token of the model and every added one, with its id. */
  readonly ids: ReadonlyMap<string, number>;
  /** Contents of the added tokens that the model does not have. */
  readonly dropped: readonly string[];
}

/** Ids are int32 in the rows of an experiment. */
const mostIds = 2 ** 31 - 1;

/**
 * Checks a parsed `tokenizer.json` and brings it to one layout: merges as pairs, absent parts null, added tokens that the
 * model does not have left out ({@link foreignFrom}).
 * Throws a UserError for what is no tokenizer, and for what @huggingface/tokenizers 0.2 would silently read otherwise than
 * the library that wrote the file.
 *
 */
export function readTokenizerJson(source: string, value: unknown, sizes: VocabularySizes): CheckedTokenizer {
  const fail: Fail = (message) => {
    throw new UserError(`${source}: ${message}`);
  };
  if (!isJsonObject(value) || !isJsonObject(value['model'])) {
    return fail('is no tokenizer.json: it has no "model"; give the tokenizer.json of a Hugging Face folder');
  }
  // Its only purpose here is the limit on depth.
  for (const part of componentNames) canonicalJson(source, value[part]);
  const model = readModel(value['model'], fail);
  const component = (name: string): TokenizerComponent | null => readComponent(name, value[name], fail);
  const ids = modelIds(model);
  const all = readAddedTokens(value['added_tokens'] ?? [], fail);
  const firstForeign = foreignFrom(ids, all, sizes);
  for (const [token, id] of ids) {
    if (id >= firstForeign) {
      fail(
        `model.vocab: ${shown(token)} has id ${id}, but the model has ${firstForeign} tokens; ` +
          'this tokenizer belongs to another model',
      );
    }
  }
  const added = all.filter(({ id }) => id < firstForeign);
  addTo(ids, added, fail);
  const json = {
    version: '1.0',
    added_tokens: added,
    normalizer: component('normalizer'),
    pre_tokenizer: component('pre_tokenizer'),
    post_processor: component('post_processor'),
    decoder: component('decoder'),
    model,
  };
  return { json, ids, dropped: all.filter(({ id }) => id >= firstForeign).map(({ content }) => content) };
}

const componentNames = ['normalizer', 'pre_tokenizer', 'post_processor', 'decoder'] as const;

type Fail = (message: string) => never;

const isTokenId = (value: unknown): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < mostIds;

function readComponent(name: string, value: unknown, fail: Fail): TokenizerComponent | null {
  if (value === undefined || value === null) return null;
  if (!isJsonObject(value) || typeof value['type'] !== 'string')
    return fail(`${name} is no component with a "type"`);
  return { ...value, type: value['type'] };
}

function readAddedTokens(value: unknown, fail: Fail): AddedToken[] {
  if (!Array.isArray(value)) return fail('added_tokens is no list');
  return value.map((entry: unknown, i) => {
    const place = `added_tokens[${i}]`;
    if (!isJsonObject(entry)) return fail(`${place} is no object`);
    const { id, content } = entry;
    if (typeof content !== 'string' || content === '') return fail(`${place} has no "content"`);
    if (!isTokenId(id)) return fail(`${place}: ${shown(content)} has id ${shown(id)}, not a whole number`);
    if (entry['single_word'] === true) {
      return fail(
        `${place}: ${shown(content)} is a single_word token, which is not supported; ` +
          'it would also be found inside other words',
      );
    }
    const special = entry['special'] === true;
    const normalized = typeof entry['normalized'] === 'boolean' ? entry['normalized'] : !special;
    const [lstrip, rstrip] = [entry['lstrip'] === true, entry['rstrip'] === true];
    return { id, content, single_word: false, lstrip, rstrip, normalized, special };
  });
}

/** Adds added tokens to the ids of the model; one that is there already must have the id that it has there. */
function addTo(ids: Map<string, number>, added: readonly AddedToken[], fail: Fail): void {
  const owners = new Map(Array.from(ids, ([token, id]) => [id, token]));
  const contents = new Set<string>();
  for (const { content, id } of added) {
    const own = ids.get(content);
    if (contents.has(content)) fail(`added_tokens: ${shown(content)} is there twice`);
    if (own !== undefined && own !== id) {
      fail(
        `added_tokens: ${shown(content)} with id ${id} shadows the token of the vocabulary with id ${own}; ` +
          'give it the same id, or remove it',
      );
    }
    const owner = owners.get(id);
    if (owner !== undefined && owner !== content)
      fail(`added_tokens: ${shown(content)} has id ${id}, which is that of ${shown(owner)}`);
    contents.add(content);
    owners.set(id, content);
    ids.set(content, id);
  }
}

function readModel(model: JsonObject, fail: Fail): TokenizerModel {
  const type = modelType(model);
  const byteFallback = model['byte_fallback'] === true;
  switch (type) {
    case 'Unigram': {
      const vocab = scoredTokens(model['vocab'], fail);
      const unknown = model['unk_id'] ?? null;
      if (unknown !== null && !(isTokenId(unknown) && unknown < vocab.length))
        return fail(`model.unk_id is ${shown(unknown)}, no place in the vocabulary`);
      return { ...model, type, unk_id: unknown, byte_fallback: byteFallback, vocab };
    }
    case 'BPE': {
      if (model['dropout'] !== undefined && model['dropout'] !== null && model['dropout'] !== 0)
        fail('model.dropout: merges that are left out at random are not supported; remove it');
      const prefix = model['continuing_subword_prefix'] ?? '';
      if (prefix !== '') fail('model.continuing_subword_prefix is not supported for BPE');
      const vocab = plainVocabulary(model['vocab'], fail);
      const merges = mergePairs(model['merges'], vocab, fail);
      return {
        ...model,
        type,
        unk_token: unknownToken(model, fail),
        byte_fallback: byteFallback,
        vocab,
        merges,
      };
    }
    case 'WordPiece':
    case 'WordLevel': {
      const vocab = plainVocabulary(model['vocab'], fail);
      const unknown = unknownToken(model, fail);
      if (unknown === null || !Object.hasOwn(vocab, unknown))
        return fail(`model.unk_token is ${shown(unknown)}, which is not in the vocabulary`);
      const prefix = model['continuing_subword_prefix'] ?? '##';
      return {
        ...model,
        ...(type === 'WordPiece' ? { continuing_subword_prefix: prefix } : {}),
        type,
        unk_token: unknown,
        byte_fallback: false,
        vocab,
      };
    }
    default:
      return fail(`model.type is ${shown(model['type'])}; it must be BPE, Unigram, WordPiece or WordLevel`);
  }
}

/** The type of a model; files of before 2021 do not name it. */
function modelType(model: JsonObject): unknown {
  if (model['type'] !== undefined) return model['type'];
  if (Array.isArray(model['vocab'])) return 'Unigram';
  if (model['merges'] !== undefined) return 'BPE';
  return model['continuing_subword_prefix'] === undefined ? undefined : 'WordPiece';
}

function unknownToken(model: JsonObject, fail: Fail): string | null {
  const token = model['unk_token'] ?? null;
  if (token !== null && typeof token !== 'string') return fail(`model.unk_token is ${shown(token)}, no text`);
  return token === '' ? null : token;
}

function plainVocabulary(value: unknown, fail: Fail): Readonly<Record<string, number>> {
  if (!isJsonObject(value) || Object.keys(value).length === 0)
    return fail('model.vocab is no object of tokens with ids');
  const owners = new Map<number, string>();
  const entries = Object.entries(value).map(([token, id]): [string, number] => {
    if (!isTokenId(id)) return fail(`model.vocab: ${shown(token)} has id ${shown(id)}, not a whole number`);
    const owner = owners.get(id);
    if (owner !== undefined)
      fail(`model.vocab: ${shown(owner)} and ${shown(token)} have the same id ${id}; ids must be unique`);
    owners.set(id, token);
    return [token, id];
  });
  return Object.fromEntries(entries);
}

function scoredTokens(value: unknown, fail: Fail): [string, number][] {
  if (!Array.isArray(value) || value.length === 0)
    return fail('model.vocab is no list of tokens with scores');
  const known = new Set<string>();
  return value.map((entry: unknown, i) => {
    const [token, score]: unknown[] = Array.isArray(entry) ? entry : [];
    if (typeof token !== 'string' || typeof score !== 'number')
      return fail(`model.vocab[${i}]: ${shown(entry)} is no token with a score`);
    if (known.has(token)) fail(`model.vocab[${i}]: ${shown(token)} is there twice; ids must be unique`);
    known.add(token);
    return [token, score];
  });
}

/** Merges of both layouts, `"a b"` and `["a", "b"]`. */
function mergePairs(
  value: unknown,
  vocab: Readonly<Record<string, number>>,
  fail: Fail,
): (readonly [string, string])[] {
  if (!Array.isArray(value)) return fail('model.merges is no list');
  // The first line of a merges file that was copied with its pairs.
  const list: unknown[] =
    typeof value[0] === 'string' && value[0].startsWith('#version') ? value.slice(1) : value;
  return list.map((entry, i) => {
    const pair: unknown[] = typeof entry === 'string' ? entry.split(' ') : Array.isArray(entry) ? entry : [];
    const [left, right] = pair;
    if (pair.length !== 2 || typeof left !== 'string' || typeof right !== 'string')
      return fail(`model.merges[${i}]: ${shown(entry)} is no pair of tokens, such as "a b" or ["a", "b"]`);
    const missing = [left, right, left + right].find((token) => !Object.hasOwn(vocab, token));
    if (missing !== undefined)
      fail(
        `model.merges[${i}]: ${shown(entry)} needs the token ${shown(missing)}, which is not in the vocabulary`,
      );
    return [left, right];
  });
}

function modelIds(model: TokenizerModel): Map<string, number> {
  return model.type === 'Unigram'
    ? new Map(model.vocab.map(([token], id) => [token, id]))
    : new Map(Object.entries(model.vocab));
}

/** The token that stands for a byte of a character that the vocabulary does not have: `<0x0A>`. */
export const byteToken = (byte: number): string => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`;
