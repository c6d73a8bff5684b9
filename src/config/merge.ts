import { alternativesAt, keysOf } from './schema-tree.js';
import { isRecord } from './yaml-source.js';

/**
 * A config over the one it extends: maps are merged key by key, everything else is replaced. A map of another kind
 * (`kind: convnet` over a transformer), or of another member of a union (`{ at: [1] }` over `{ every: 1 }`), replaces,
 * too: it shares no keys with what it stands for.
 */
export function merge(
  base: Record<string, unknown>,
  over: Record<string, unknown>,
  schema: unknown,
): Record<string, unknown> {
  const experiment = { experiment: over['experiment'] ?? base['experiment'] };
  return mergeAt(base, over, [], { schema, root: experiment });
}

/** Whether a map takes part in a merge with the map below it, instead of replacing it. */
export function merges(
  base: unknown,
  over: unknown,
  path: readonly PropertyKey[],
  context: MergeContext,
): base is Record<string, unknown> {
  if (!isRecord(base) || !isRecord(over)) return false;
  if ((over['kind'] ?? base['kind']) !== base['kind']) return false;
  if (base['kind'] !== undefined) return true;
  return !isOtherMember(base, over, path, context);
}

/** Schema that says where there are unions; `root` says which experiment's. */
export interface MergeContext {
  readonly schema: unknown;
  readonly root: unknown;
}

function mergeAt(
  base: Record<string, unknown>,
  over: Record<string, unknown>,
  path: readonly PropertyKey[],
  context: MergeContext,
): Record<string, unknown> {
  const merged = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const before = Object.hasOwn(merged, key) ? merged[key] : undefined;
    const inner = [...path, key];
    merged[key] =
      isRecord(value) && merges(before, value, inner, context)
        ? mergeAt(before, value, inner, context)
        : value;
  }
  return merged;
}

/** Whether `over` is a whole member of a union and no member knows all keys of both. */
function isOtherMember(
  base: Record<string, unknown>,
  over: Record<string, unknown>,
  path: readonly PropertyKey[],
  { schema, root }: MergeContext,
): boolean {
  const members = alternativesAt(schema, path, root)
    .map(keysOf)
    .filter((keys) => keys.length > 0);
  if (members.length < 2) return false;
  const fits = (value: Record<string, unknown>): boolean =>
    members.some((keys) => Object.keys(value).every((key) => keys.includes(key)));
  return Object.keys(over).length > 0 && fits(over) && fits(base) && !fits({ ...base, ...over });
}
