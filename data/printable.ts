/**
 * What a terminal, a log or a reader takes for something else than text: the controls of C0 and C1 with DEL, line and
 * paragraph separators, marks of the writing direction, which can show a text in another order than it has, the
 * invisible tag characters, the byte order mark, halves of a surrogate pair, and the two code points beside them that XML
 * does not take.
 */
const unprintable =
  /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u00ad\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff\u{e0000}-\u{e007f}]/gu;

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

/** SGR sequences: they change how text looks and nothing else. */
// oxlint-disable-next-line no-control-regex -- an escape is what is looked for
const styling = /(\u001B\[[\d;]*m)/;

/** {@link printable} of a line that this program coloured: its SGR sequences stay. */
export const printableStyled = (line: string): string =>
  line
    .split(styling)
    .map((part, i) => (i % 2 === 1 ? part : printable(part)))
    .join('');

/** A value as JSON that can be printed and is the same value: what is unprintable is written `\uXXXX`, as JSON knows it. */
export const printableJson = (value: unknown, indent?: number): string =>
  JSON.stringify(value, null, indent).replace(unprintable, (character) =>
    character === '\n'
      ? character
      : Array.from(
          { length: character.length },
          (_, i) => String.raw`\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`,
        ).join(''),
  );

/** Whether a text is what {@link printable} makes of it. */
export const isPrintable = (text: string): boolean => text.search(unprintable) < 0;
