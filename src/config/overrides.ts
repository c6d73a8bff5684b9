import { UserError } from '../../data/errors.js';
import { isReservedKey, parseYaml, type YamlText } from '../../data/yaml.js';
import { merges, type MergeContext } from './merge.js';
import { isRecord } from './yaml-source.js';

/** A `key.path=value` of the command line or of a sweep. */
export interface Override {
  /** As it was given. */
  readonly text: string;
  readonly keys: readonly string[];
  readonly value: YamlText;
}

/** Keys of a path; a config is six deep. */
const deepest = 20;

/** Reads `key.path=value` with a YAML value. Throws a UserError, one line. */
export function parseOverride(text: string): Override {
  const refuse = (why: string): UserError => new UserError(`--set ${short(text)}: ${why}`);
  const equals = text.indexOf('=');
  if (equals < 1) throw refuse('expected key.path=value');
  const keys = text.slice(0, equals).split('.');
  if (keys.length > deepest) throw refuse(`the path has ${keys.length} keys, and ${deepest} are the most`);
  for (const key of keys) {
    if (key === '') throw refuse('a key of the path is empty; write one dot between two keys');
    if (key.trim() !== key) throw refuse(`the key "${key}" has blanks around it`);
    if (isReservedKey(key)) throw refuse(`"${key}" cannot be a key`);
  }
  try {
    return { text, keys, value: parseYaml('value', text.slice(equals + 1)) };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw refuse(`the value is no YAML: ${error.message.replace(/^value:\d+:\d+ /, '')}`);
  }
}

/** A config with an override in it; whole numbers in its path are places in lists. Throws a UserError for another place. */
export function applyOverride(config: unknown, override: Override, context: MergeContext): unknown {
  return setAt(config, 0, override, context);
}

function setAt(node: unknown, depth: number, override: Override, context: MergeContext): unknown {
  const key = override.keys[depth];
  if (key === undefined) return override.value.value;
  if (Array.isArray(node)) {
    const place = /^(?:0|[1-9]\d*)$/.test(key) ? Number(key) : NaN;
    if (!(place < node.length)) {
      throw new UserError(
        `--set ${short(override.text)}: expected a place ${node.length === 0 ? 'in a list, which is empty' : `from 0 to ${node.length - 1}`}, got ${short(key)}`,
      );
    }
    return node.map((item: unknown, i) => (i === place ? setAt(item, depth + 1, override, context) : item));
  }
  const before = isRecord(node) && Object.hasOwn(node, key) ? node[key] : undefined;
  const own = { [key]: setAt(before, depth + 1, override, context) };
  // The new key may belong to another member of a union: `log.gram.at` where there is `log.gram.every`.
  return merges(node, own, placesOf(override.keys.slice(0, depth)), context) ? { ...node, ...own } : own;
}

/** Keys of a path as a schema knows them: numbers are places in lists. */
function placesOf(keys: readonly string[]): PropertyKey[] {
  return keys.map((key) => (/^\d+$/.test(key) ? Number(key) : key));
}

function short(text: string): string {
  return text.length > 100 ? `${text.slice(0, 97)}...` : text;
}
