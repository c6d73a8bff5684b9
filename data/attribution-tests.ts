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

/** Those of `sets` that ask about a subset. */
export function attributionSets(sets: readonly string[], subset: string, of: 'own' | 'definition'): string[] {
  const end = `_${subset}${of === 'definition' ? swapped : ''}`;
  return sets.filter(
    (name) =>
      name.startsWith(prefix) && name.endsWith(end) && !name.slice(prefix.length, -end.length).includes('_'),
  );
}
