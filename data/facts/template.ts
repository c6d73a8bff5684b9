import { other } from './parts.js';
import type { TextPart } from '../text/tokenizer/parts.js';

/**
 * A sentence with slots: `[X]` for who or what it is about, and in a statement `[A]` for the answer that ends it. Slots
 * are filled, never searched for in the result: the title "Up" or "21" must not touch other words.
 */
export interface Template {
  readonly source: string;
  readonly before: string;
  /** Without the answer and the blank before it. */
  readonly after: string;
}

/**
 * Parses `When was [X] born?` or `[X] was born in the [A]`.
 * Throws a RangeError for a text without just one `[X]`, or with `[A]` anywhere but at its end.
 */
export function parseTemplate(source: string): Template {
  const [before = '', after, ...more] = source.replace(/ \[A\]$/, '').split('[X]');
  if (after === undefined || more.length > 0 || (before + after).includes('[A]')) {
    throw new RangeError(`no template: ${source}`);
  }
  return { source, before, after };
}

/** The parts of a template about `subject`, of a statement those before its answer. */
export function fillTemplate({ before, after }: Template, subject: TextPart): TextPart[] {
  return [other(before), subject, other(after)];
}
