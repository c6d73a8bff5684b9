import { createHash } from 'node:crypto';

/**
 * SHA-256 of a config's values, in hexadecimal: the same for two files that differ in comments, line ends, the order
 * of keys or the way numbers are written.
 *
 * @param value maps, lists, texts, numbers, booleans and null; keys without a value count as missing
 */
export function hashConfig(value: unknown): string {
  return createHash('sha256').update(canonical(value)).digest('hex');
}

/** JSON with sorted keys. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const entries = Object.entries(value).filter(([, own]) => own !== undefined);
  const sorted = entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${sorted.map(([key, own]) => `${JSON.stringify(key)}:${canonical(own)}`).join()}}`;
}
