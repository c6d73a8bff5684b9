import { isRecord } from './yaml-source.js';

/** Keys that a JSON schema knows for the map at a path, over all alternatives of unions. */
export function keysAt(schema: unknown, path: readonly PropertyKey[]): string[] {
  return schemasAt(schema, path).flatMap(({ properties }) =>
    isRecord(properties) ? Object.keys(properties) : [],
  );
}

/** Constants that a JSON schema knows at a path, over all alternatives of unions. */
export function valuesAt(schema: unknown, path: readonly PropertyKey[]): string[] {
  const values = schemasAt(schema, path).flatMap((alternative) =>
    Array.isArray(alternative['enum']) ? alternative['enum'] : [alternative['const']],
  );
  return [...new Set(values.filter((value) => typeof value === 'string'))];
}

function schemasAt(schema: unknown, path: readonly PropertyKey[]): Record<string, unknown>[] {
  let level = alternatives(schema);
  for (const key of path) {
    level = level.flatMap((alternative) => {
      const properties = alternative['properties'];
      const inner =
        typeof key === 'number'
          ? alternative['items']
          : ((isRecord(properties) ? properties[String(key)] : undefined) ??
            alternative['additionalProperties']);
      return alternatives(inner);
    });
  }
  return level;
}

function alternatives(schema: unknown): Record<string, unknown>[] {
  if (!isRecord(schema)) return [];
  const members = [schema['anyOf'], schema['oneOf'], schema['allOf']]
    .filter((list) => Array.isArray(list))
    .flat();
  return [schema, ...members.flatMap(alternatives)];
}

/** The candidate nearest to a misspelt word, or null when none is near. */
export function nearest(word: string, candidates: readonly string[]): string | null {
  const ranked = candidates
    .map((candidate) => ({ candidate, distance: editDistance(word.toLowerCase(), candidate.toLowerCase()) }))
    .toSorted((a, b) => a.distance - b.distance);
  const best = ranked[0];
  return best !== undefined && best.distance <= Math.max(2, word.length / 3) ? best.candidate : null;
}

/** Levenshtein distance. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substituted = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, substituted));
    }
    row = next;
  }
  return row[b.length]!;
}
