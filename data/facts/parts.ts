import type { PartKind } from '../pieces.js';
import type { TextPart } from '../text/tokenizer/parts.js';

export function other(text: string): TextPart {
  return { part: 'other', text };
}

/** The text of consecutive parts. */
export function textOf(parts: readonly TextPart[]): string {
  return parts.map(({ text }) => text).join('');
}

/**
 * The same text in as few parts as their kinds need. A blank between two parts begins the second one, as byte-level
 * tokenizers take a word together with the blank before it.
 */
export function assemble(parts: readonly TextPart[]): TextPart[] {
  const joined: TextPart[] = [];
  const add = (part: PartKind, text: string): void => {
    const last = joined.at(-1);
    if (part === 'other' && last?.part === 'other') joined[joined.length - 1] = other(last.text + text);
    else joined.push({ part, text });
  };
  let blank = '';
  for (const { part, text } of parts) {
    const whole = blank + text;
    blank = / *$/.exec(whole)![0];
    if (blank.length < whole.length) add(part, whole.slice(0, whole.length - blank.length));
  }
  if (blank !== '') add('other', blank);
  return joined;
}
