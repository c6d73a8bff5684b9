import path from 'node:path';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { UserError } from '../../data/errors.js';
import { explainIssues, type Problem } from './explain.js';
import { keysAt, nearest, valuesAt } from './suggest.js';
import { isRecord, readYaml, type YamlSource } from './yaml-source.js';

/** A config that has passed its schema. */
export interface LoadedConfig<Config> {
  readonly config: Config;
  /** The config with every default and every inherited value written out: a file that replays the run. */
  readonly resolved: string;
}

/**
 * Reads an experiment file. Its key `extends` names another file (relative to it) whose values it inherits: maps are
 * merged key by key, everything else is replaced. `overrides` are `key.path=value` with YAML values and win over all
 * files.
 *
 * Throws a UserError that lists every problem, one a line, as `file:line:column key: what was expected`.
 */
export function loadConfig<Config>(
  file: string,
  schema: z.ZodType<Config>,
  overrides: readonly string[] = [],
): LoadedConfig<Config> {
  const sources = readChain(file, []);
  const inherited = sources
    .toReversed()
    .reduce<Record<string, unknown>>((all, { value }) => merge(all, value), {});
  delete inherited['extends'];
  const value = overrides.reduce<unknown>(applyOverride, inherited);
  const result = schema.safeParse(value);
  if (result.success) return { config: result.data, resolved: stringify(result.data) };
  const known = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  const lines = explainIssues(result.error.issues, value).map((problem) =>
    describe(problem, hintFor(problem, known), sources, overrides),
  );
  throw new UserError(lines.join('\n'));
}

/** The file and the files it extends, nearest first. */
function readChain(file: string, before: readonly string[]): YamlSource[] {
  const resolved = path.resolve(file);
  if (before.includes(resolved))
    throw new UserError(`config ${file} extends itself through ${before.join(' and ')}`);
  const source = readYaml(file);
  const base = source.value['extends'];
  if (base === undefined) return [source];
  if (typeof base !== 'string')
    throw new UserError(`${source.locate(['extends'])} extends: expected a file name`);
  return [
    source,
    ...readChain(path.isAbsolute(base) ? base : path.join(path.dirname(file), base), [...before, resolved]),
  ];
}

function merge(base: Record<string, unknown>, over: Record<string, unknown>): Record<string, unknown> {
  const merged = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const before = merged[key];
    // Another kind of model or optimizer shares no keys with the one it replaces.
    const sameKind =
      isRecord(before) && isRecord(value) && (value['kind'] ?? before['kind']) === before['kind'];
    merged[key] = sameKind ? merge(before, value) : value;
  }
  return merged;
}

/** Sets `key.path=value` in a config; numbers in the path are places in lists. */
function applyOverride(config: unknown, override: string): unknown {
  const equals = override.indexOf('=');
  if (equals < 1) throw new UserError(`--set ${override}: expected key.path=value`);
  let value: unknown;
  try {
    value = parse(override.slice(equals + 1));
  } catch {
    throw new UserError(`--set ${override}: the value is no YAML`);
  }
  return setAt(config, override.slice(0, equals).split('.'), value, override);
}

function setAt(node: unknown, keys: readonly string[], value: unknown, override: string): unknown {
  const [key, ...rest] = keys;
  if (key === undefined) return value;
  if (Array.isArray(node)) {
    const place = Number(key);
    if (!Number.isInteger(place) || place < 0 || place >= node.length) {
      throw new UserError(`--set ${override}: expected a place from 0 to ${node.length - 1}, got ${key}`);
    }
    return node.map((item: unknown, i) => (i === place ? setAt(item, rest, value, override) : item));
  }
  const record = isRecord(node) ? node : {};
  return { ...record, [key]: setAt(record[key], rest, value, override) };
}

/** What helps to mend a problem: the key that was meant, or the values that are known. */
function hintFor({ path: keys, key, listValues }: Problem, schema: unknown): string {
  if (listValues === true) return `; expected one of ${valuesAt(schema, keys).join(', ')}`;
  const suggestion = key === undefined ? null : nearest(key, keysAt(schema, keys));
  return suggestion === null ? '' : `; did you mean "${suggestion}"?`;
}

function describe(
  { path: keys, key, message }: Problem,
  hint: string,
  sources: readonly YamlSource[],
  overrides: readonly string[],
): string {
  const name = [...keys, ...(key === undefined ? [] : [key])].join('.');
  const text = message + hint;
  const overridden = overrides.findLast((override) =>
    `${name}.`.startsWith(`${override.slice(0, override.indexOf('='))}.`),
  );
  if (overridden !== undefined) return `--set ${overridden} ${name}: ${text}`;
  return `${locate(sources, keys, key)} ${name || 'config'}: ${text}`;
}

/** Where a key stands; for a missing one, where the nearest map around it does. */
function locate(
  sources: readonly YamlSource[],
  keys: readonly PropertyKey[],
  key: string | undefined,
): string {
  for (const source of sources) {
    const place = source.locate(keys, key);
    if (place !== null) return place;
  }
  for (let length = keys.length - 1; length >= 0; length--) {
    for (const source of sources) {
      const place = source.locate(keys.slice(0, length));
      if (place !== null) return place;
    }
  }
  return sources[0]!.file;
}
