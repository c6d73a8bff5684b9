import { UserError } from '../../errors.js';
import type { PartKind } from '../../pieces.js';
import { shown } from './json.js';
import type { TokenAlignment, Tokenizer } from './tokenizer.js';

/** A stretch of a text. */
export interface TextPart {
  readonly text: string;
  readonly part: PartKind;
}

/** Ids of a text with the part that each belongs to. */
export interface EncodedParts {
  readonly ids: readonly number[];
  /** For each id the kind of its part. */
  readonly parts: readonly PartKind[];
  /** For each id the place of its part in the list. */
  readonly indices: readonly number[];
}

/**
 * Ids of a text that is given in parts: exactly those of the joined text, which are in general not those of the parts one
 * by one. A token belongs to the part of its first character that is no blank (U+0020), since in most vocabularies a blank
 * belongs to the token after it; a token of blanks alone belongs to the part of the first of them.
 *
 * Tokens are laid along the normalized text byte by byte without regard to blanks, which tokenizers add, drop and replace;
 * so this is exact for byte-level tokens that are parts of characters, too.
 *
 * Throws a UserError for a part other than `other` that no token belongs to (a name that is encoded to nothing, or whose
 * characters all lie in a token that begins before it), and for text whose tokens do not spell it, such as unknown text of
 * a tokenizer that does not keep it.
 */
export function encodeParts(tokenizer: Tokenizer, parts: readonly TextPart[]): EncodedParts {
  const { alignment } = tokenizer;
  const text = parts.map((part) => part.text).join('');
  const { ids, tokens } = alignment.pieces(text);
  const cursor = new Cursor(text, labelled(alignment, parts, text), parts.length - 1);
  /** Parts with a token that is more than the blank before them. */
  const found = new Set<number>();
  const indices = tokens.map((token, i) => {
    const { bytes, blanks } = alignment.surface(token, ids[i]!);
    const isBlank = bytes.length === 0;
    const part = isBlank ? cursor.takeBlanks(blanks) : cursor.take(bytes);
    if (!isBlank || parts[part]!.text.trim() === '') found.add(part);
    return part;
  });
  cursor.end();
  parts.forEach(({ text: own, part }, i) => {
    if (part !== 'other' && !found.has(i))
      throw new UserError(
        `${shown(own)} (${part}) in ${shown(text)}: no token is its own; give it another name`,
      );
  });
  return { ids, parts: indices.map((index) => parts[index]!.part), indices };
}

/** Bytes of a normalized text, with the part of each. */
interface Labelled {
  /** UTF-8 without blanks. */
  readonly bytes: Uint8Array;
  /** Part of each byte. */
  readonly labels: readonly number[];
  /** Parts of the blanks that stand before a byte, by its place. */
  readonly blanks: ReadonlyMap<number, readonly number[]>;
}

/** Walks along the bytes of a text. */
class Cursor {
  private at = 0;
  private blanksTaken = 0;

  constructor(
    private readonly text: string,
    private readonly labelled: Labelled,
    private readonly lastPart: number,
  ) {}

  /** The part of a token of blanks alone. */
  takeBlanks(count: number): number {
    const own = this.labelled.blanks.get(this.at)?.[this.blanksTaken];
    this.blanksTaken += count;
    return own ?? this.labelled.labels[this.at] ?? this.lastPart;
  }

  /** The part of a token of these bytes. */
  take(token: Uint8Array): number {
    const { bytes, labels } = this.labelled;
    let label: number | undefined;
    for (const byte of token) {
      if (bytes[this.at] !== byte) this.skipSpace();
      if (bytes[this.at] !== byte) this.fail();
      label ??= labels[this.at];
      this.at++;
    }
    this.blanksTaken = 0;
    return label ?? this.lastPart;
  }

  /** Checks that no text is left. */
  end(): void {
    this.skipSpace();
    if (this.at < this.labelled.bytes.length) this.fail();
  }

  /** Line feeds and tabs, which some tokenizers drop. */
  private skipSpace(): void {
    const { bytes } = this.labelled;
    while (bytes[this.at]! >= 0x09 && bytes[this.at]! <= 0x0d) this.at++;
  }

  private fail(): never {
    throw new UserError(
      `${shown(this.text)}: its tokens do not spell it, so that they have no parts; ` +
        'it holds what the tokenizer does not know',
    );
  }
}

function labelled(alignment: TokenAlignment, parts: readonly TextPart[], text: string): Labelled {
  const bare = (own: string): string => withoutBlanks(own, alignment.blanks);
  const normalized = bare(alignment.normalize(text));
  // Most normalizers change nothing of most texts.
  if (normalized === bare(text))
    return label(
      parts.map((part) => part.text),
      alignment.blanks,
    );
  return label(normalizedParts(alignment, parts, text), alignment.blanks);
}

/**
 * The normalized text of each part. A character that the normalizer makes of characters of two parts, as U+00E9 of "e" and
 * U+0301, belongs to the first of them: the boundary moves on until text before and after it can be normalized apart.
 */
function normalizedParts(alignment: TokenAlignment, parts: readonly TextPart[], text: string): string[] {
  const bare = (own: string): string => withoutBlanks(alignment.normalize(own), alignment.blanks);
  const all = bare(text);
  const result: string[] = [];
  let end = 0;
  let start = 0;
  parts.forEach((part) => {
    end += part.text.length;
    let boundary = Math.max(start, end);
    while (boundary < text.length && bare(text.slice(0, boundary)) + bare(text.slice(boundary)) !== all)
      boundary += text.codePointAt(boundary)! > 0xffff ? 2 : 1;
    result.push(alignment.normalize(text.slice(start, boundary)));
    start = boundary;
  });
  return result;
}

function label(texts: readonly string[], blanks: ReadonlySet<string>): Labelled {
  const all = texts.map((text) => new TextEncoder().encode(withoutBlanks(text, blanks)));
  const bytes = new Uint8Array(all.reduce((sum, { length }) => sum + length, 0));
  const labels: number[] = [];
  const gaps = new Map<number, number[]>();
  texts.forEach((text, part) => {
    let at = labels.length;
    for (const character of text) {
      if (!blanks.has(character)) at += Buffer.byteLength(character);
      else gaps.set(at, [...(gaps.get(at) ?? []), part]);
    }
    bytes.set(all[part]!, labels.length);
    for (const _ of all[part]!) labels.push(part);
  });
  return { bytes, labels, blanks: gaps };
}

function withoutBlanks(text: string, blanks: ReadonlySet<string>): string {
  let result = text;
  for (const blank of blanks) result = result.replaceAll(blank, '');
  return result;
}
