import { UserError } from '../../../data/errors.js';
import { firstLine } from './run-content.js';

/** What became of an attempt to read or use something: a result, a refusal in words, or something that must not be. */
export type Outcome<T> =
  | { readonly kind: 'done'; readonly value: T }
  | { readonly kind: 'refused'; readonly message: string }
  | { readonly kind: 'broken'; readonly problem: string };

/** Characters that a terminal obeys, but for the end of a line. */
const obeyed = /[^\P{Cc}\n]/u;

/** Whether a text has a character that a terminal would obey. */
export function holdsControls(text: string): boolean {
  return obeyed.test(text);
}

/** Tries it. `lines`: how many a refusal may have; a config lists every problem in a line of its own. */
export async function attempt<T>(action: () => T | Promise<T>, lines = 1): Promise<Outcome<T>> {
  try {
    return { kind: 'done', value: await action() };
  } catch (error) {
    if (!(error instanceof UserError)) {
      const [, place = ''] = (error instanceof Error ? (error.stack ?? '') : '').split('\n    at ');
      return { kind: 'broken', problem: `stack: ${firstLine(error).slice(0, 200)} at ${place.trim()}` };
    }
    const { message } = error;
    if (holdsControls(message)) {
      return {
        kind: 'broken',
        problem: `control characters in a message: ${JSON.stringify(message.slice(0, 200))}`,
      };
    }
    if (message.split('\n').length > lines) {
      return {
        kind: 'broken',
        problem: `a message of several lines: ${JSON.stringify(message.slice(0, 200))}`,
      };
    }
    if (message.length > 2000 * lines) {
      return {
        kind: 'broken',
        problem: `a message of ${message.length} characters: ${message.slice(0, 100)}`,
      };
    }
    return { kind: 'refused', message };
  }
}

/** The problems of an outcome, where both a result and a refusal are right. */
export function problemsOf(outcome: Outcome<unknown>): string[] {
  return outcome.kind === 'broken' ? [outcome.problem] : [];
}
