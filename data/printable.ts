/**
 * What a terminal, a log or a reader takes for something else than text: the controls of C0 and C1 with DEL, line and
 * paragraph separators, marks of the writing direction, which can show a text in another order than it has, the
 * invisible tag characters, the byte order mark, and halves of a surrogate pair.
 */
const unprintable =
  /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u00ad\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\u{e0000}-\u{e007f}]/gu;

const shortNames: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/**
 * Text of a file, a path or another program as one line that is safe to print: what is unprintable is escaped as in
 * JavaScript (`\n`, `\x1b`, `\u202e`, `\u{e0041}`), everything else stays. Every place that shows such text uses it.
 */
export function printable(text: string): string {
  return text.replace(unprintable, escaped);
}

/** The same for a text of several lines, whose line feeds stay. */
export function printableLines(text: string): string {
  return text.replace(unprintable, (character) => (character === '\n' ? character : escaped(character)));
}

function escaped(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  const hex = code.toString(16);
  const short = shortNames[character];
  if (short !== undefined) return short;
  if (code < 0x100) return `\\x${hex.padStart(2, '0')}`;
  return code < 0x10000 ? `\\u${hex.padStart(4, '0')}` : `\\u{${hex}}`;
}
