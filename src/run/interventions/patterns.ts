import { z } from 'zod';
import { matchesParameter } from '../../../data/parameter-groups.js';
import { nearest } from '../../config/suggest.js';

/** Parameters by name, as interventions take them. */
export const patternsSchema = z
  .array(z.string().max(200))
  .min(1)
  .max(1000)
  .describe('names of parameters; * stands for any characters');

/** Whether a parameter is one of those that patterns stand for. */
export function matchesAny(patterns: readonly string[], name: string): boolean {
  return patterns.some((pattern) => matchesParameter(pattern, name));
}

/** Which parameters a stage trains: all but those that it freezes. */
export function trainedIn(stage: {
  readonly freeze: { readonly parameters: readonly string[] } | null;
}): (parameter: string) => boolean {
  const frozen = stage.freeze?.parameters ?? [];
  return (parameter) => !matchesAny(frozen, parameter);
}

/** Why a pattern stands for nothing, with what it may have meant; null where each stands for a parameter. */
export function patternProblem(patterns: readonly string[], names: readonly string[]): string | null {
  const idle = patterns.find((pattern) => !names.some((name) => matchesParameter(pattern, name)));
  return idle === undefined ? null : unmatched(idle, names);
}

/** `"ffn.*" matches no parameter of the model; did you mean "ff.weight"?` */
export function unmatched(pattern: string, names: readonly string[]): string {
  const suggestion = nearest(pattern.replaceAll('*', ''), names);
  return (
    `"${pattern}" matches no parameter of the model` +
    (suggestion === null ? `; it has ${firstOf(names)}` : `; did you mean "${suggestion}"?`)
  );
}

function firstOf(names: readonly string[]): string {
  const shown = names.slice(0, 8).join(', ');
  return names.length > 8 ? `${shown} and ${names.length - 8} more` : shown;
}
