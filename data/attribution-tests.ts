/**
 * Test sets that ask who a variable is, in one of several forms: answered with the entity that its questions are about
 * (`own`), or with the one that its wrong definition names (`definition`).
 */
const prefix = 'ent_assoc_';
const swapped = '_swapped';

/** Name of a test set, as in the published code: `ent_assoc_who_qd1consis`, `ent_assoc_who_qd2incons_swapped`. */
export function attributionSetName(type: string, subset: string, of: 'own' | 'definition'): string {
  return `${prefix}${type}_${subset}${of === 'definition' ? swapped : ''}`;
}

/** What the names of sets with the same form of the question begin with, `ent_assoc_who_`; null for another set. */
export function attributionPrefix(name: string): string | null {
  return name.startsWith(prefix) ? name.slice(0, name.indexOf('_', prefix.length) + 1) : null;
}

/** Those of `sets` that ask about a subset. */
export function attributionSets(sets: readonly string[], subset: string, of: 'own' | 'definition'): string[] {
  const end = `_${subset}${of === 'definition' ? swapped : ''}`;
  return sets.filter(
    (name) =>
      name.startsWith(prefix) && name.endsWith(end) && !name.slice(prefix.length, -end.length).includes('_'),
  );
}
