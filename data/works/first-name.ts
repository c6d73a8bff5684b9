/** The first word of a person's name; null for a name of one word, and for an initial of one character. */
export function firstName(name: string): string | null {
  const [first = '', ...others] = name.trim().split(/\s+/);
  return others.length > 0 && first.length > 1 ? first : null;
}
