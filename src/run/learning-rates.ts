import type { StageConfig } from './config.js';

/** Full learning rate of each parameter: the first parameter group whose pattern matches, else the stage's. */
export function learningRates(config: StageConfig): (parameter: string) => number {
  return (name) =>
    config.parameterGroups.find(({ parameters }) => matchesParameter(parameters, name))?.learningRate ??
    config.optimizer.learningRate;
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
