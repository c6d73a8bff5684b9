import path from 'node:path';
import type { z } from 'zod';
import { UserError } from '../../data/errors.js';
import { stringifyYaml } from '../../data/yaml.js';
import { countProblems, explainIssues, mostProblems, valueAt, type Problem } from './explain.js';
import { jsonSchemaOf } from './json-schema.js';
import { merge, merges, type MergeContext } from './merge.js';
import { applyOverride, parseOverride, type Override } from './overrides.js';
import { readYaml, type YamlSource } from './yaml-source.js';

/** A config that has passed its schema. */
export interface LoadedConfig<Config> {
  readonly config: Config;
  /** The config with every default and every inherited value written out: a file that replays the run. */
  readonly resolved: string;
}

/** Files that extend each other, at most. */
const longestChain = 20;

/**
 * Reads an experiment file. Its key `extends` names another file (relative to it) whose values it inherits, as `merge`
 * says, or several, of which later ones win. `overrides` are `key.path=value` with YAML values and win over all files.
 *
 * Throws a UserError that lists what is wrong, one per line, as `file:line:column key: what was expected`; of many
 * problems the first twenty.
 *
 * @param adapt changes the values of a file before they are merged
 */
export function loadConfig<Config>(
  file: string,
  schema: z.ZodType<Config>,
  overrides: readonly string[] = [],
  adapt: (value: Record<string, unknown>, file: string) => Record<string, unknown> = (value) => value,
): LoadedConfig<Config> {
  const sources = readConfigFiles(file).map((source) => ({
    ...source,
    value: adapt(source.value, source.file),
  }));
  const parsed = overrides.map(parseOverride);
  const known = jsonSchemaOf(schema);
  const inherited = sources
    .toReversed()
    .reduce<Record<string, unknown>>((all, { value }) => merge(all, value, known), {});
  delete inherited['extends'];
  const context: MergeContext = { schema: known, root: inherited };
  const valueWith = (used: readonly Override[]): unknown =>
    used.reduce<unknown>((value, override) => applyOverride(value, override, context), inherited);
  const value = valueWith(parsed);
  const result = schema.safeParse(value);
  if (result.success) return { config: result.data, resolved: stringifyYaml(result.data) };

  const { issues } = result.error;
  const places = new Places(sources, parsed, context);
  const problems = explainIssues(issues, { root: value, schema: known, typed: (keys) => places.typed(keys) });
  const shown = problems.slice(0, mostProblems);
  const blamed = blame(shown, schema, parsed, valueWith);
  const lines = shown.map((problem, i) => `${places.describe(problem, blamed[i]!)}${problem.message}`);
  const more = countProblems(issues) - shown.length;
  if (more > 0) lines.push(`${sources[0]!.file}: and ${more} more problem${more === 1 ? '' : 's'}`);
  throw new UserError(lines.join('\n'));
}

/** A config file and the files it extends, nearest first. Throws a UserError for one that cannot be read. */
export function readConfigFiles(file: string): YamlSource[] {
  return readChain(file, []);
}

function readChain(file: string, before: readonly string[]): YamlSource[] {
  const resolved = path.resolve(file);
  if (before.includes(resolved))
    throw new UserError(`config ${file} extends itself through ${before.join(' and ')}`);
  if (before.length >= longestChain)
    throw new UserError(`config ${before[0]} extends a chain of more than ${longestChain} files`);
  const source = readYaml(file);
  const given = Object.hasOwn(source.value, 'extends') ? source.value['extends'] : [];
  const bases: readonly unknown[] = Array.isArray(given) ? given : [given];
  const inherited = bases.toReversed().flatMap((base) => {
    if (typeof base !== 'string')
      throw new UserError(`${source.locate(['extends'])} extends: expected a file name, or a list of them`);
    try {
      return readChain(path.isAbsolute(base) ? base : path.join(path.dirname(file), base), [
        ...before,
        resolved,
      ]);
    } catch (error) {
      if (!(error instanceof UserError) || !error.message.startsWith('cannot read config')) throw error;
      throw new UserError(`${source.locate(['extends'])} extends: ${error.message}`);
    }
  });
  if (inherited.length >= longestChain)
    throw new UserError(`config ${file} extends a chain of more than ${longestChain} files`);
  return [source, ...inherited];
}

/**
 * For each problem the override that is to blame, or null: one without which the problem is gone, the last of several.
 * Where a problem has more than one cause, an override of the very value.
 */
function blame<Config>(
  problems: readonly Problem[],
  schema: z.ZodType<Config>,
  overrides: readonly Override[],
  valueWith: (used: readonly Override[]) => unknown,
): (Override | null)[] {
  const issuesWithout = overrides.map((left) => {
    try {
      const result = schema.safeParse(valueWith(overrides.filter((override) => override !== left)));
      return new Set(
        result.success ? [] : result.error.issues.flatMap(({ path: at, ...issue }) => identities(at, issue)),
      );
    } catch (error) {
      // Another override needs this one's place.
      if (error instanceof UserError) return null;
      throw error;
    }
  });
  return problems.map((problem) => {
    const own = identity(problem.path, problem.key);
    const cause = overrides.findLast((_, i) => issuesWithout[i] !== null && !issuesWithout[i]!.has(own));
    if (cause !== undefined) return cause;
    const name = `${nameOf(problem)}.`;
    return overrides.findLast(({ keys }) => name.startsWith(`${keys.join('.')}.`)) ?? null;
  });
}

/** What tells a problem from another: where it is. A value that is wrong in two ways is one problem here. */
function identity(at: readonly PropertyKey[], key?: string): string {
  return JSON.stringify([at.map(String), key ?? null]);
}

function identities(at: readonly PropertyKey[], issue: object): string[] {
  const keys = 'keys' in issue && Array.isArray(issue.keys) ? issue.keys.map(String) : null;
  const here = keys === null ? [identity(at)] : keys.map((key) => identity(at, key));
  const errors: unknown[] = 'errors' in issue && Array.isArray(issue.errors) ? issue.errors.flat() : [];
  const inner = errors.flatMap((error) =>
    typeof error === 'object' && error !== null && 'path' in error && Array.isArray(error.path)
      ? identities([...at, ...(error.path as PropertyKey[])], error)
      : [],
  );
  return [...here, ...inner];
}

function nameOf({ path: keys, key }: Problem): string {
  return [...keys, ...(key === undefined ? [] : [key])].map(String).join('.');
}

/** Where the values of a config were typed. */
class Places {
  constructor(
    private readonly sources: readonly YamlSource[],
    private readonly overrides: readonly Override[],
    private readonly context: MergeContext,
  ) {}

  /** A scalar as it was typed, in the override or the file that it comes from. */
  typed(keys: readonly PropertyKey[]): string | null {
    const own = this.overrides.findLast((override) =>
      override.keys.every((key, i) => key === String(keys[i])),
    );
    if (own !== undefined) return own.value.typed(keys.slice(own.keys.length));
    const [source] = this.sourcesOf(keys);
    return source?.typed(keys) ?? null;
  }

  /** The beginning of a problem's line: its place and its name. */
  describe(problem: Problem, blamed: Override | null): string {
    const name = nameOf(problem) || 'config';
    const text = name.length > 200 ? `${name.slice(0, 197)}...` : name;
    return blamed === null ? `${this.locate(problem)} ${text}: ` : `--set ${blamed.text} ${text}: `;
  }

  /** Where a key stands; for a missing one, where the nearest map around it does. */
  private locate({ path: keys, key, missing }: Problem): string {
    for (let length = keys.length - (missing === true ? 1 : 0); length >= 0; length--) {
      const around = keys.slice(0, length);
      for (const source of this.sourcesOf(around)) {
        const place =
          length === keys.length && key !== undefined ? source.locate(around, key) : source.locate(around);
        if (place !== null) return place;
      }
    }
    return this.sources[0]!.file;
  }

  /** Files that hold something of the value at a path, nearest first: those below a value that replaces do not. */
  private sourcesOf(keys: readonly PropertyKey[]): readonly YamlSource[] {
    let sources = this.sources;
    for (let length = 1; length <= keys.length; length++) {
      const around = keys.slice(0, length);
      const holding = sources.filter((source) => source.locate(around) !== null);
      const last = holding.findIndex(
        (source, i) =>
          i + 1 < holding.length &&
          !merges(
            valueAt(holding[i + 1]!.value, around),
            valueAt(source.value, around),
            around,
            this.context,
          ),
      );
      sources = last < 0 ? holding : holding.slice(0, last + 1);
    }
    return sources;
  }
}
