import { isPrintable } from './printable.js';

/** Words that every shell takes as they are. */
const plain = /^[\w./:,=@%+][\w./:,=@%+-]*$|^-{1,2}[\w./:,=@%+-]+$/;

/**
 * A word as a shell takes it, so that a printed command can be copied. Printable words are quoted as POSIX says; one with
 * control characters as bash, zsh and ksh take them (`$'\x1b'`), since it must be printable too.
 */
export function shellWord(word: string): string {
  if (plain.test(word)) return word;
  if (isPrintable(word)) return `'${word.replaceAll("'", String.raw`'\''`)}'`;
  const parts = Array.from(word, (character) => {
    if (character === "'" || character === '\\') return `\\${character}`;
    if (isPrintable(character)) return character;
    return Array.from(new TextEncoder().encode(character), octal).join('');
  });
  return `$'${parts.join('')}'`;
}

/** Three digits: unlike `\x1b`, what follows cannot be taken for more of them. */
const octal = (byte: number): string => `\\${byte.toString(8).padStart(3, '0')}`;

/** Words as one command. */
export const shellCommand = (words: readonly string[]): string => words.map(shellWord).join(' ');

/** A command of this program, as it is printed for people to copy. */
export const programCommand = (...words: readonly string[]): string =>
  shellCommand(['npx', 'gradscope', ...words]);
