import type { z } from 'zod';

/** One thing that is wrong with a config, and the path of the value it is about. */
export interface Problem {
  readonly path: readonly PropertyKey[];
  /** A key of the value at `path`, when the problem is the key itself. */
  readonly key?: string;
  readonly message: string;
  /** Whether the message should end with the values that the schema knows at `path`. */
  readonly listValues?: boolean;
}

/** Turns zod's issues into one problem a line, each saying what was expected. */
export function explainIssues(issues: readonly z.core.$ZodIssue[], root: unknown): Problem[] {
  return issues.flatMap((issue) => explain(issue, root));
}

function explain(issue: z.core.$ZodIssue, root: unknown): Problem[] {
  const { path } = issue;
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({ path, key, message: `unknown key "${key}"` }));
    case 'invalid_union': {
      const value = valueAt(root, path);
      if (issue.discriminator !== undefined) {
        return [{ path, message: `unknown ${issue.discriminator} ${show(value)}`, listValues: true }];
      }
      // The alternative that got furthest is the one that was meant.
      const best = issue.errors
        .map((errors) =>
          explainIssues(
            errors.map((error) => ({ ...error, path: [...path, ...error.path] })),
            root,
          ),
        )
        .toSorted((a, b) => depth(b) - depth(a) || a.length - b.length)[0];
      return best ?? [{ path, message: `${issue.message}, got ${show(value)}` }];
    }
    default: {
      const value = valueAt(root, path);
      if (value === undefined && issue.code === 'invalid_type') {
        return [{ path, message: `missing; expected ${issue.expected}` }];
      }
      const text = issue.message.replace(/^Invalid (input|option): /, '').replace(/, received .*$/, '');
      return [{ path, message: `${lowerFirst(text)}, got ${show(value)}` }];
    }
  }
}

function depth(problems: readonly Problem[]): number {
  return Math.min(...problems.map(({ path }) => path.length));
}

function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  let value = root;
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = Reflect.get(value, key);
  }
  return value;
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
