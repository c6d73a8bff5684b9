import fs from 'node:fs';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { runSchema } from '../../src/run/config.js';

interface Bounds {
  readonly key: string;
  readonly from: string;
  readonly to: string;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Bounds of all numbers, lists and texts of a JSON schema, by key; places in lists are `n`. */
function boundsOf(schema: unknown, path: readonly string[]): Bounds[] {
  if (!isRecord(schema)) return [];
  const members = [schema['anyOf'], schema['oneOf']].find((list) => Array.isArray(list));
  if (members !== undefined) return (members as unknown[]).flatMap((member) => boundsOf(member, path));
  const { properties, items, minimum, exclusiveMinimum, maximum, exclusiveMaximum, maxItems } = schema;
  const inner = isRecord(properties)
    ? Object.entries(properties).flatMap(([key, property]) => boundsOf(property, [...path, key]))
    : boundsOf(items, [...path, 'n']);
  const key = path.join('.');
  const text = (value: unknown): string =>
    Number(value).toLocaleString('en-US', { maximumSignificantDigits: 8 });
  const shown = (value: unknown): string =>
    Number(value) !== 0 && (Math.abs(Number(value)) < 1e-4 || Math.abs(Number(value)) >= 1e11)
      ? String(value)
      : text(value);
  if (maxItems !== undefined) inner.unshift({ key, from: '', to: `${shown(maxItems)} entries` });
  if (maximum === undefined && exclusiveMaximum === undefined) return inner;
  if (maximum === Number.MAX_SAFE_INTEGER) return inner;
  const from = exclusiveMinimum === undefined ? shown(minimum) : `above ${shown(exclusiveMinimum)}`;
  const to = exclusiveMaximum === undefined ? shown(maximum) : `below ${shown(exclusiveMaximum)}`;
  return [{ key, from, to }, ...inner];
}

test('docs/limits.md has the bounds of the schemas', () => {
  const all = boundsOf(z.toJSONSchema(runSchema, { io: 'input', unrepresentable: 'any' }), []);
  const rows = [...new Set(all.map(({ key, from, to }) => `| \`${key}\` | ${from} | ${to} |`))].sort();
  const page = fs.readFileSync('docs/limits.md', 'utf8').replaceAll(/ +/g, ' ');
  const missing = rows.filter((row) => !page.includes(row.replaceAll(/ +/g, ' ')));
  expect(missing, 'rows that docs/limits.md lacks').toEqual([]);
  const written = page.split('\n').filter((line) => line.startsWith('| `'));
  expect(written.toSorted()).toEqual(rows.map((row) => row.replaceAll(/ +/g, ' ')).toSorted());
});
