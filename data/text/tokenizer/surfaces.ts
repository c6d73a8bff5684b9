import { byteAlphabet } from './byte-alphabet.js';
import { byteToken, type TokenizerComponent, type TokenizerJson } from './tokenizer-json.js';

/** What a token is made of: UTF-8 bytes without blanks, and blanks. */
export interface Surface {
  readonly bytes: Uint8Array;
  /** Blanks among its characters. */
  readonly blanks: number;
}

/** How the tokens of a tokenizer are read as text. */
export interface Surfaces {
  surface(token: string, id: number): Surface;
  /** Characters that count as blanks. */
  readonly blanks: ReadonlySet<string>;
}

const blank = ' ';

/** What SentencePiece writes for a blank. */
export const metaspace = '\u2581';

/** Reads tokens as the model of a tokenizer writes them: byte-level, with a substitute for blanks, or in word pieces. */
export function createSurfaces({ model, added_tokens: added, pre_tokenizer }: TokenizerJson): Surfaces {
  const byteLevel = hasByteLevel(pre_tokenizer);
  const addedIds = new Set(added.map(({ id }) => id));
  const prefix = model.type === 'WordPiece' ? textOf(model['continuing_subword_prefix']) : '';
  const suffix = model.type === 'BPE' ? textOf(model['end_of_word_suffix']) : '';
  const byteTokens = model.byte_fallback
    ? new Map(Array.from({ length: 256 }, (_, byte) => [byteToken(byte), byte]))
    : new Map<string, number>();
  const blanks: ReadonlySet<string> = new Set(byteLevel ? [blank] : [blank, metaspace]);

  const bytesOf = (token: string, id: number): Uint8Array => {
    if (byteLevel && !addedIds.has(id))
      return Uint8Array.from(token, (character) => byteAlphabet.get(character) ?? 0);
    const byte = byteTokens.get(token);
    if (byte !== undefined) return Uint8Array.of(byte);
    let text = token;
    if (prefix !== '' && text.startsWith(prefix)) text = text.slice(prefix.length);
    if (suffix !== '' && text.endsWith(suffix)) text = text.slice(0, -suffix.length);
    return new TextEncoder().encode(byteLevel ? text : text.replaceAll(metaspace, blank));
  };
  const read = (token: string, id: number): Surface => {
    const all = bytesOf(token, id);
    const bytes = all.filter((byte) => byte !== blankByte);
    return { bytes, blanks: all.length - bytes.length };
  };
  // Unknown text has surfaces without end.
  const known = new Map<number, Map<string, Surface>>();
  const mostOfAnId = 4;
  return {
    blanks,
    surface: (token, id) => {
      const own = known.get(id) ?? new Map<string, Surface>();
      const found = own.get(token);
      if (found !== undefined) return found;
      const surface = read(token, id);
      if (own.size < mostOfAnId) known.set(id, own.set(token, surface));
      return surface;
    },
  };
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

const blankByte = blank.charCodeAt(0);

function hasByteLevel(component: TokenizerComponent | null): boolean {
  if (component === null) return false;
  const { pretokenizers } = component;
  return component.type === 'ByteLevel' || (Array.isArray(pretokenizers) && pretokenizers.some(hasByteLevel));
}
