import { UserError } from '../../errors.js';
import { printable, printableJson } from '../../printable.js';

export type JsonObject = Readonly<Record<string, unknown>>;

export const isJsonObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Characters of a value that a message shows. */
const shownLength = 40;

/** Any value as part of a one-line message: as JSON, escaped, and cut where it is long. */
export function shown(value: unknown): string {
  if (typeof value === 'string' && value.length > shownLength)
    return printableJson(`${value.slice(0, shownLength)}...`);
  const text = printableJson(value ?? null);
  return text.length > 2 * shownLength ? `${text.slice(0, 2 * shownLength)}...` : text;
}

/** Objects and lists inside one another; a file with more would exhaust the stack of what reads it. */
const deepest = 32;

/**
 * Parses the text of a JSON file that holds an object.
 * Throws a UserError that names `source` when it does not.
 */
export function parseJsonObject(source: string, text: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new UserError(`${source}: is no JSON (${printable((cause as Error).message)})`, { cause });
  }
  if (!isJsonObject(value)) throw new UserError(`${source}: is no JSON object`);
  return value;
}

/** JSON with sorted keys: equal for equal values, however they are written. Throws a UserError where it is too deep. */
export function canonicalJson(source: string, value: unknown, depth = 0): string {
  if (depth > deepest) throw new UserError(`${source}: is nested more than ${deepest} deep`);
  const inner = (item: unknown): string => canonicalJson(source, item, depth + 1);
  if (Array.isArray(value)) return `[${value.map(inner).join()}]`;
  if (!isJsonObject(value)) return JSON.stringify(value ?? null);
  const keys = Object.keys(value).sort();
  return `{${keys.map((key) => `${JSON.stringify(key)}:${inner(value[key])}`).join()}}`;
}
