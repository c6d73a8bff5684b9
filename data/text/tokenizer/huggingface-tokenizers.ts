import { createRequire } from 'node:module';
import { UserError } from '../../errors.js';
import { printable } from '../../printable.js';
import { isJsonObject } from './json.js';
import type { TokenizerComponent, TokenizerJson } from './tokenizer-json.js';

/** What is used of a tokenizer of @huggingface/tokenizers 0.2. */
export interface LibraryTokenizer {
  /** `tokens` are texts of tokens, and of what is unknown where the model keeps it; an id is undefined for unknown text. */
  encode(
    text: string,
    options: { readonly add_special_tokens: boolean },
  ): { readonly ids: readonly (number | undefined)[]; readonly tokens: readonly string[] };
  /** Throws for no ids. */
  decode(
    ids: readonly number[],
    options: { readonly skip_special_tokens: boolean; readonly clean_up_tokenization_spaces: boolean },
  ): string;
  readonly normalizer: ((text: string) => string) | null;
}

type TokenizerConstructor = new (json: object, config: object) => LibraryTokenizer;

const require = createRequire(import.meta.url);

/**
 * A tokenizer of the library. The package's declarations import one another without file extensions, which TypeScript
 * does not follow in an ES module, so that what is used of them is declared here.
 * Throws a UserError for a part that the library does not know, or would read otherwise than the file means it.
 */
export function libraryTokenizer(source: string, json: TokenizerJson): LibraryTokenizer {
  const { Tokenizer } = require('@huggingface/tokenizers') as { readonly Tokenizer: TokenizerConstructor };
  const { model } = json;
  // The library has no WordLevel; it takes a model that it does not know word by word, with the unknown token of the config.
  const config = model.type === 'WordLevel' ? { unk_token: model.unk_token } : {};
  try {
    return new Tokenizer(libraryJson(source, json), config);
  } catch (cause) {
    if (cause instanceof UserError) throw cause;
    throw new UserError(`${source}: cannot be used (${printable((cause as Error).message)})`, { cause });
  }
}

/** The same tokenizer in words that the library reads as the reference implementation reads the file's. */
function libraryJson(source: string, json: TokenizerJson): TokenizerJson {
  const refuse = (what: string): never => {
    throw new UserError(`${source}: ${what} is not supported`);
  };
  return {
    ...json,
    pre_tokenizer: json.pre_tokenizer === null ? null : libraryPreTokenizer(json.pre_tokenizer, refuse),
    decoder: json.decoder === null ? null : libraryDecoder(json.decoder),
  };
}

function libraryPreTokenizer(
  component: TokenizerComponent,
  refuse: (what: string) => never,
): TokenizerComponent {
  switch (component.type) {
    case 'Sequence':
      return {
        ...component,
        pretokenizers: componentsOf(component['pretokenizers'], refuse).map((inner) =>
          libraryPreTokenizer(inner, refuse),
        ),
      };
    case 'Metaspace': {
      const metaspace = { ...component, prepend_scheme: prependScheme(component) };
      if (component['split'] === false) return metaspace;
      // The library replaces blanks but does not split at them.
      const words = {
        type: 'Split',
        pattern: { Regex: `(?=${literal(replacement(component))})` },
        behavior: 'Isolated',
        invert: false,
      };
      return { type: 'Sequence', pretokenizers: [metaspace, words] };
    }
    // The library's own knows ASCII letters only.
    case 'Whitespace':
      return { type: 'Split', pattern: { Regex: '\\w+|[^\\w\\s]+' }, behavior: 'Removed', invert: true };
    case 'Split': {
      const { pattern, behavior, invert } = component;
      const isolated = behavior === 'Isolated' && invert !== true;
      if (behavior !== 'Removed' && !isolated) {
        refuse(
          `pre_tokenizer Split with behavior ${printable(String(behavior))}${invert === true ? ', inverted,' : ''}`,
        );
      }
      // The library returns what is removed, too, where the pattern is a string.
      return isJsonObject(pattern) && typeof pattern['String'] === 'string'
        ? { ...component, pattern: { Regex: literal(pattern['String']) } }
        : component;
    }
    case 'Punctuation':
      if (component['behavior'] !== 'Contiguous')
        refuse('pre_tokenizer Punctuation with a behavior other than Contiguous');
      return component;
    default:
      return component;
  }
}

function libraryDecoder(component: TokenizerComponent): TokenizerComponent {
  if (component.type !== 'Metaspace' || prependScheme(component) !== 'never') return component;
  // The library's own always takes the first blank away.
  const blanks = { type: 'Replace', pattern: { String: replacement(component) }, content: ' ' };
  return { type: 'Sequence', decoders: [blanks, { type: 'Fuse' }] };
}

/** When Metaspace puts a blank before a text; exports of before 2024 say it by `add_prefix_space`. */
function prependScheme(component: TokenizerComponent): string {
  const scheme = component['prepend_scheme'];
  if (typeof scheme === 'string') return scheme;
  return component['add_prefix_space'] === false ? 'never' : 'always';
}

function replacement(component: TokenizerComponent): string {
  return typeof component['replacement'] === 'string' ? component['replacement'] : '\u2581';
}

/** A regular expression for exactly this text. */
const literal = (text: string): string =>
  Array.from(text, (character) => `\\x{${character.codePointAt(0)!.toString(16)}}`).join('');

function componentsOf(value: unknown, refuse: (what: string) => never): TokenizerComponent[] {
  if (!Array.isArray(value)) return refuse('a Sequence without a list');
  return value.map((entry: unknown) => {
    if (!isJsonObject(entry) || typeof entry['type'] !== 'string')
      return refuse('a part of a Sequence without a type');
    return { ...entry, type: entry['type'] };
  });
}
