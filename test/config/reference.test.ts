import fs from 'node:fs';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { UserError } from '../../data/errors.js';
import { loadConfig } from '../../src/config/load.js';
import { configKeys, keyPath } from '../../src/config/reference.js';
import { runSchema } from '../../src/run/config.js';
import { configKeysOf } from '../../src/run/experiment-module.js';

const keysOf = (schema: z.ZodType) =>
  configKeys(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }));

/** Paths of all values of a config, as the reference writes them. */
function pathsIn(value: unknown, path = ''): string[] {
  if (Array.isArray(value)) return value.flatMap((entry) => pathsIn(entry, `${path}[]`));
  if (typeof value !== 'object' || value === null) return [path];
  const own = path === '' || path.endsWith('[]') ? [] : [path];
  return [
    ...own,
    ...Object.entries(value).flatMap(([key, inner]) => pathsIn(inner, path === '' ? key : `${path}.${key}`)),
  ];
}

describe('keys of a schema', () => {
  test('have bounds, defaults and the shapes they are in', () => {
    const schema = z.strictObject({
      share: z.number().min(0).lt(1).default(0.5).describe('a share'),
      size: z.union([
        z
          .int()
          .positive()
          .max(1 << 20),
        z.literal('full'),
      ]),
      rule: z
        .discriminatedUnion('kind', [
          z.strictObject({ kind: z.literal('a'), rate: z.number(), only: z.boolean().default(true) }),
          z.strictObject({ kind: z.literal('b'), rate: z.number() }),
        ])
        .nullable()
        .default(null),
      list: z.array(z.strictObject({ name: z.string().optional() })),
    });
    const key = (
      path: string,
      takes: string,
      byDefault: string | null,
      of: string[] = [],
      description = '',
    ) => ({
      path,
      of,
      takes,
      default: byDefault,
      description,
    });
    expect(keysOf(schema)).toEqual([
      key('share', 'a number from 0, below 1', '0.5', [], 'a share'),
      key('size', 'a whole number from 1 to 1,048,576 or full', null),
      key('rule', 'a map or null', 'null'),
      key('rule.kind', 'a or b', null),
      key('rule.rate', 'a number', null),
      key('rule.only', 'true or false', 'true', ['kind: a']),
      key('list', 'a list (each a map)', null),
      key('list[].name', 'a text', 'nothing'),
    ]);
  });

  test.each([
    ['stages.0.sampler', 'stages[].sampler'],
    ['stages[1].sampler', 'stages[].sampler'],
    ['stages[].penalty.blocks.12.first', 'stages[].penalty.blocks[].first'],
    ['name', 'name'],
  ])('%s means %s', (typed, path) => {
    expect(keyPath(typed)).toBe(path);
  });
});

describe('keys of experiment files', () => {
  const keys = configKeysOf(null);
  const paths = new Set(keys.map(({ path }) => path));

  test('hold every key of every preset', () => {
    const presets = fs
      .readdirSync('configs', { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.yaml'))
      .map((name) => `configs/${name}`);
    const loaded = presets.flatMap((file) => {
      try {
        return [loadConfig(file, runSchema).config];
      } catch (error) {
        // A sweep, or a part of a config.
        if (error instanceof UserError) return [];
        throw error;
      }
    });
    expect(loaded.length).toBeGreaterThan(20);
    const unknown = loaded
      .flatMap((config) => pathsIn(config))
      .filter((path) => !paths.has(path.replace(/\[\]$/, '')));
    expect(unknown).toEqual([]);
  });

  test('say what they mean, all but those that name a shape', () => {
    expect(
      keys
        .filter(({ path, description }) => description === '' && !path.endsWith('kind'))
        .map(({ path }) => path),
    ).toEqual(['experiment']);
  });

  test('take what the schema takes: a default is a value, a number beyond a bound is none', () => {
    const base = 'configs/set-inclusion-smoke.yaml';
    const bounded = keys.flatMap(({ path, takes }) => {
      const [, most] = /to ([\d,]+)$/.exec(takes) ?? [];
      return most === undefined || !/^(?:evaluation|checkpoint|log)\.\w+$/.test(path)
        ? []
        : [[path, most] as const];
    });
    expect(bounded.length).toBeGreaterThan(2);
    for (const [path, most] of bounded) {
      const number = Number(most.replaceAll(',', ''));
      expect(() => loadConfig(base, runSchema, [`${path}=${number}`]), path).not.toThrow();
      expect(() => loadConfig(base, runSchema, [`${path}=${number + 1}`]), path).toThrow(path);
    }
  });
});
