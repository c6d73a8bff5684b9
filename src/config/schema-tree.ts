import { isRecord } from './yaml-source.js';

/** One of the shapes that a value may have: a JSON schema without unions at its top. */
export type SchemaAlternative = Readonly<Record<string, unknown>>;

/**
 * Shapes that a JSON schema allows at a path of a value. Of a union that is told apart by a constant (`kind`,
 * `experiment`) only the member that the value names counts, where it names one.
 */
export function alternativesAt(
  schema: unknown,
  path: readonly PropertyKey[],
  root: unknown,
): SchemaAlternative[] {
  let level = membersOf(schema, root);
  let value = root;
  for (const key of path) {
    value = typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
    level = level.flatMap((alternative) => membersOf(innerOf(alternative, key), value));
  }
  return level;
}

/** Keys that a map may have at a path. */
export function keysAt(schema: unknown, path: readonly PropertyKey[], root: unknown): string[] {
  return alternativesAt(schema, path, root).flatMap(keysOf);
}

/** Texts that a value may be at a path, whatever the other values say. */
export function valuesAt(schema: unknown, path: readonly PropertyKey[]): string[] {
  const values = alternativesAt(schema, path, undefined).flatMap((alternative) =>
    Array.isArray(alternative['enum']) ? alternative['enum'] : [alternative['const']],
  );
  return [...new Set(values.filter((value) => typeof value === 'string'))];
}

export function keysOf({ properties }: SchemaAlternative): string[] {
  return isRecord(properties) ? Object.keys(properties) : [];
}

function innerOf(alternative: SchemaAlternative, key: PropertyKey): unknown {
  if (typeof key === 'number') return alternative['items'];
  const properties = alternative['properties'];
  const known =
    isRecord(properties) && Object.hasOwn(properties, String(key)) ? properties[String(key)] : undefined;
  return known ?? alternative['additionalProperties'];
}

function membersOf(schema: unknown, value: unknown): SchemaAlternative[] {
  if (!isRecord(schema)) return [];
  const lists = [schema['anyOf'], schema['oneOf'], schema['allOf']].filter((list) => Array.isArray(list));
  if (lists.length === 0) return [schema];
  const members = lists.flat().flatMap((member) => membersOf(member, value));
  const named = members.filter((member) => isNamedBy(member, value));
  return named.length > 0 ? named : members;
}

/** Whether a member of a union has a constant, such as `kind: adamw`, and a value has it, too. */
function isNamedBy({ properties }: SchemaAlternative, value: unknown): boolean {
  if (!isRecord(properties) || !isRecord(value)) return false;
  return Object.entries(properties).some(
    ([key, property]) =>
      isRecord(property) &&
      property['const'] !== undefined &&
      Object.hasOwn(value, key) &&
      property['const'] === value[key],
  );
}

/** What a value may be at a path, in words: `never, { every, offset } or { at }`. */
export function describeAlternatives(alternatives: readonly SchemaAlternative[]): string {
  const words = alternatives.map((alternative) => {
    const { const: constant, enum: values, type } = alternative;
    if (typeof constant === 'string') return constant;
    if (Array.isArray(values)) return values.join(', ');
    const keys = keysOf(alternative);
    if (keys.length > 0) return `{ ${keys.join(', ')} }`;
    if (type === 'array') return 'a list';
    return type === 'integer'
      ? 'a whole number'
      : typeof type === 'string'
        ? (nouns[type] ?? type)
        : 'a value';
  });
  const unique = [...new Set(words)];
  return unique.length < 2 ? unique.join() : `${unique.slice(0, -1).join(', ')} or ${unique.at(-1)}`;
}

const nouns: Readonly<Record<string, string>> = {
  number: 'a number',
  string: 'a text',
  boolean: 'true or false',
  object: 'a map',
  null: 'null',
};
