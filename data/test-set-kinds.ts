import { attributionPrefix } from './attribution-tests.js';

/**
 * What the names of the test sets of one kind begin with: `train_defs_` and `train_questions_` for rows that are trained on,
 * `ent_assoc_who_` for a form of the question who somebody is. Null for held-out questions.
 */
export function testSetKind(name: string): string | null {
  return (
    ['train_defs_', 'train_questions_', 'train_'].find((prefix) => name.startsWith(prefix)) ??
    attributionPrefix(name)
  );
}
