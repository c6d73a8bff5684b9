/** Parameters that do not follow the learning rate of their stage. */
export interface ParameterGroup {
  /** Name of a parameter; `*` stands for any characters. */
  readonly parameters: string;
  readonly learningRate: number;
}

/** Full learning rate of each parameter: the first group whose pattern matches, else `otherwise`. */
export function ratesByGroup(
  groups: readonly ParameterGroup[],
  otherwise: number,
): (parameter: string) => number {
  return (name) =>
    groups.find(({ parameters }) => matchesParameter(parameters, name))?.learningRate ?? otherwise;
}

/**
 * Whether a pattern stands for a parameter; `*` stands for any characters. Without a regular expression, whose time may
 * grow exponentially with the stars of a pattern.
 */
export function matchesParameter(pattern: string, name: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  if (rest.length === 0) return name === pattern;
  const last = rest.pop()!;
  if (!name.startsWith(first) || name.length < first.length + last.length || !name.endsWith(last))
    return false;
  let at = first.length;
  for (const part of rest) {
    const found = name.indexOf(part, at);
    if (found < 0 || found + part.length > name.length - last.length) return false;
    at = found + part.length;
  }
  return true;
}
