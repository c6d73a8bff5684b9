/** What a piece of a text is, by which its tokens are told apart. */
export type PartLabel = 'variable' | 'tag' | 'entity' | 'answer' | 'other';

/** A piece of a text. */
export interface TextPart {
  readonly label: PartLabel;
  readonly text: string;
}

export function other(text: string): TextPart {
  return { label: 'other', text };
}

/** The text of consecutive pieces. */
export function textOf(parts: readonly TextPart[]): string {
  return parts.map(({ text }) => text).join('');
}

/**
 * The same text in as few pieces as its labels need. A blank between two pieces begins the second one: byte-level
 * tokenizers take a word together with the blank before it, so that pieces can be encoded one by one.
 */
export function assemble(parts: readonly TextPart[]): TextPart[] {
  const joined: TextPart[] = [];
  const add = (label: PartLabel, text: string): void => {
    const last = joined.at(-1);
    if (label === 'other' && last?.label === 'other') joined[joined.length - 1] = other(last.text + text);
    else joined.push({ label, text });
  };
  let blank = '';
  for (const { label, text } of parts) {
    const whole = blank + text;
    blank = / *$/.exec(whole)![0];
    if (blank.length < whole.length) add(label, whole.slice(0, whole.length - blank.length));
  }
  if (blank !== '') add('other', blank);
  return joined;
}
