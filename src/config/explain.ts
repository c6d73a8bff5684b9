import type { z } from 'zod';
import { alternativesAt, describeAlternatives, keysAt, keysOf, valuesAt } from './schema-tree.js';
import { nearest } from './suggest.js';
import { isRecord } from './yaml-source.js';

/** One thing that is wrong with a config, and the path of the value it is about. */
export interface Problem {
  readonly path: readonly PropertyKey[];
  /** A key of the value at `path`, when the problem is the key itself. */
  readonly key?: string;
  readonly message: string;
  /** Whether nothing stands at `path`. */
  readonly missing?: boolean;
}

/** What problems are explained with. */
export interface ExplainContext {
  /** The value that was checked. */
  readonly root: unknown;
  /** Its JSON schema. */
  readonly schema: unknown;
  /** The value at a path as it was typed, or null where that is not known. */
  readonly typed: (path: readonly PropertyKey[]) => string | null;
}

/** Problems that are explained; a file with more than these has one cause. */
export const mostProblems = 20;

/** Turns zod's issues into problems, each saying what was expected; at most a few more than are told. */
export function explainIssues(issues: readonly z.core.$ZodIssue[], context: ExplainContext): Problem[] {
  const problems: Problem[] = [];
  for (const issue of issues) {
    problems.push(...explain(issue, context));
    if (problems.length > mostProblems) break;
  }
  return problems;
}

/** How many problems {@link explainIssues} would tell of without its limit. */
export function countProblems(issues: readonly z.core.$ZodIssue[]): number {
  return issues.reduce((sum, issue) => sum + (issue.code === 'unrecognized_keys' ? issue.keys.length : 1), 0);
}

function explain(issue: z.core.$ZodIssue, context: ExplainContext): Problem[] {
  const { path } = issue;
  const { root, schema } = context;
  const value = valueAt(root, path);
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.slice(0, mostProblems + 1).map((key) => ({
        path,
        key,
        message: `unknown key "${short(key)}"${hintForKey(key, path, context)}`,
      }));
    case 'invalid_union':
      if (issue.discriminator !== undefined) {
        const { discriminator } = issue;
        const inner = path.at(-1) === discriminator ? path : [...path, discriminator];
        const chosen = valueAt(root, inner);
        const known = valuesAt(schema, inner).join(', ');
        if (!isRecord(valueAt(root, inner.slice(0, -1))))
          return [{ path, message: `expected a map, got ${show(value, path, context)}` }];
        return chosen === undefined
          ? [{ path: inner, message: `missing; expected one of ${known}`, missing: true }]
          : [
              {
                path: inner,
                message: `unknown ${discriminator} ${show(chosen, inner, context)}; expected one of ${known}`,
              },
            ];
      }
      return explainUnion(issue, context);
    default: {
      if (typeof value === 'number' && !Number.isFinite(value)) {
        return [{ path, message: `expected a finite number, got ${show(value, path, context)}` }];
      }
      const text = issue.message
        .replace(/^Invalid (input|option): /, '')
        .replace(/, received .*$/, '')
        .replace(/expected (array|object)\b/, (_, type: string) => `expected ${nounOf(type)}`);
      if (value === undefined && (issue.code === 'invalid_type' || issue.code === 'invalid_value')) {
        return [{ path, message: `missing; ${lowerFirst(text)}`, missing: true }];
      }
      return [{ path, message: `${lowerFirst(text)}, got ${show(value, path, context)}` }];
    }
  }
}

/** A union without a `kind`: the member whose keys the value has is the one that was meant, else all are named. */
function explainUnion(issue: z.core.$ZodIssueInvalidUnion, context: ExplainContext): Problem[] {
  const { path } = issue;
  const value = valueAt(context.root, path);
  const alternatives = alternativesAt(context.schema, path, context.root);
  if (alternatives.length === issue.errors.length) {
    const meant = alternatives.flatMap((alternative, i) => {
      const numeric = ['number', 'integer'].includes(String(alternative['type']));
      const fits = isRecord(value)
        ? keysOf(alternative).some((key) => Object.hasOwn(value, key))
        : numeric && typeof value === 'number' && Number.isFinite(value);
      return fits ? [i] : [];
    });
    if (meant.length === 1) {
      const errors = issue.errors[meant[0]!]!;
      return explainIssues(
        errors.map((error) => ({ ...error, path: [...path, ...error.path] })),
        context,
      );
    }
  }
  const expected =
    issue.message === 'Invalid input' ? `expected ${describeAlternatives(alternatives)}` : issue.message;
  return [{ path, message: `${expected}, got ${show(value, path, context)}` }];
}

/** The key that was meant, or the kind of thing that does have it. */
function hintForKey(key: string, path: readonly PropertyKey[], { schema, root }: ExplainContext): string {
  const known = keysAt(schema, path, root);
  const suggestion = nearest(key, known);
  if (suggestion !== null) return `; did you mean "${suggestion}"?`;
  const kind = valueAt(root, [...path, 'kind']);
  return typeof kind === 'string' && keysAt(schema, path, undefined).includes(key)
    ? `, which kind ${short(kind)} does not have`
    : '';
}

export function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  let value = root;
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = Reflect.get(value, key);
  }
  return value;
}

/** A value for people: numbers and the like as they were typed, texts in quotes. */
function show(value: unknown, path: readonly PropertyKey[], { typed }: ExplainContext): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'string') return short(JSON.stringify(value));
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : `a list of ${value.length}`;
  if (isRecord(value)) {
    const keys = Object.keys(value);
    return keys.length === 0 ? 'an empty map' : short(`{ ${keys.slice(0, 8).map(short).join(', ')} }`);
  }
  return short(typed(path) ?? (typeof value === 'number' ? String(value) : JSON.stringify(value)));
}

/** What YAML calls a type of JavaScript. */
function nounOf(type: string): string {
  return type === 'array' ? 'a list' : type === 'object' ? 'a map' : type;
}

function short(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
