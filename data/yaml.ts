import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  stringify,
  type Document,
  type ParsedNode,
  type ScalarTag,
  type YAMLMap,
} from 'yaml';
import { UserError } from './errors.js';

/** A parsed YAML text: its value as plain data, and where each part of it stands. */
export interface YamlText {
  /** Maps as plain objects, lists as arrays; null for an empty text. */
  readonly value: unknown;
  /** `name:line:column` of the value (or, with `key`, of that key of it) at a path, or null if it is not here. */
  locate(keys: readonly PropertyKey[], key?: string): string | null;
  /** A scalar as it was typed, such as `1e400` or `0x10`, or null where there is none at a path. */
  typed(keys: readonly PropertyKey[]): string | null;
}

/** Values of a text, those that aliases repeat counted each time; a config has a few hundred. */
const mostValues = 200_000;

/** Nesting of maps and lists; a config has six. */
const deepest = 60;

/** Keys that JavaScript gives a meaning of their own. */
const reservedKeys: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/** Whether a key may stand in a config; the others would change what an object inherits instead of what it holds. */
export function isReservedKey(key: string): boolean {
  return reservedKeys.has(key);
}

/**
 * Parses a YAML text. Aliases are followed up to a bound; keys are scalars, and each stands once in its map. Throws a
 * UserError, one line, as `name:line:column what is wrong`.
 *
 * @param name of the file, for people
 */
export function parseYaml(name: string, text: string): YamlText {
  const lines = new LineCounter();
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${name}:${Math.max(1, line)}:${Math.max(1, col)}`;
  };
  const document = parseText(name, text, lines);
  const [problem] = document.errors;
  if (problem !== undefined) {
    const what = problem.message.split('\n')[0]!.replace(/ at line \d+, column \d+:?$/, '');
    throw new UserError(`${at(problem.pos[0])} ${what}`);
  }
  const reader = new Reader(at);
  const root = document.contents;
  const value = root === null ? null : reader.read(root, 0);
  const nodeAt = (keys: readonly PropertyKey[]): ParsedNode | null => reader.nodeAt(root, keys);
  return {
    value,
    locate: (keys, key) => {
      const node = nodeAt(keys);
      if (node === null) return null;
      if (key === undefined) return at(node.range[0]);
      const map = reader.target(node);
      const found = isMap(map) ? pairOf(map, key)?.key : undefined;
      return found === undefined ? null : at(found.range[0]);
    },
    typed: (keys) => {
      const node = nodeAt(keys);
      const scalar = node === null ? null : reader.target(node);
      return isScalar(scalar) ? text.slice(scalar.range[0], scalar.range[1]) : null;
    },
  };
}

function parseText(name: string, text: string, lineCounter: LineCounter): Document.Parsed {
  try {
    // Keys that stand twice are looked for here: the library compares every key with every other.
    return parseDocument(text, { lineCounter, uniqueKeys: false, logLevel: 'error' });
  } catch (error) {
    // The parser goes down with its stack where maps and lists are nested a thousand deep.
    throw new UserError(
      `${name}:1:1 cannot be parsed as YAML (${error instanceof Error ? error.message : 'unknown'})`,
    );
  }
}

/** Turns nodes into plain data, once each, in the order of the text, in which an anchor stands before its aliases. */
class Reader {
  private readonly anchors = new Map<string, Anchor>();
  private readonly targets = new Map<ParsedNode, ParsedNode>();
  private values = 0;

  constructor(private readonly at: (offset: number) => string) {}

  read(node: ParsedNode, depth: number): unknown {
    if (depth > deepest) throw this.problem(node, `maps and lists are nested more than ${deepest} deep`);
    this.count(node, 1);
    if (isAlias(node)) return this.follow(node);
    const anchor: Anchor | null =
      node.anchor === undefined ? null : { node, value: undefined, size: this.values, open: true };
    if (anchor !== null) this.anchors.set(node.anchor!, anchor);
    const value = this.readValue(node, depth);
    if (anchor !== null) {
      anchor.value = value;
      anchor.size = this.values - anchor.size + 1;
      anchor.open = false;
    }
    return value;
  }

  private readValue(node: ParsedNode, depth: number): unknown {
    if (isSeq(node)) return node.items.map((item) => this.read(item, depth + 1));
    if (!isMap(node)) return isScalar(node) ? node.value : null;
    const entries: [string, unknown][] = [];
    const seen = new Set<string>();
    for (const { key, value } of node.items) {
      if (!isScalar(key)) throw this.problem(key, 'a key must be plain text, not a map, a list or an alias');
      const name = String(key.value);
      if (name === '<<')
        throw this.problem(key, 'merge keys (<<) are not read; write the keys out, or use extends');
      if (isReservedKey(name)) throw this.problem(key, `"${name}" cannot be a key`);
      if (seen.has(name)) throw this.problem(key, 'Map keys must be unique');
      seen.add(name);
      entries.push([name, value === null ? null : this.read(value, depth + 1)]);
    }
    return Object.fromEntries(entries);
  }

  private follow(alias: ParsedNode & { source: string }): unknown {
    const anchor = this.anchors.get(alias.source);
    if (anchor === undefined)
      throw this.problem(alias, `there is no anchor &${alias.source} before this alias`);
    if (anchor.open) throw this.problem(alias, `the alias *${alias.source} stands inside of what it repeats`);
    this.targets.set(alias, anchor.node);
    this.count(alias, anchor.size);
    return anchor.value;
  }

  private count(node: ParsedNode, values: number): void {
    this.values += values;
    if (this.values > mostValues) {
      throw this.problem(node, `more than ${mostValues} values, those that aliases repeat included`);
    }
  }

  /** What a node stands for: itself, or what its alias repeats. */
  target(node: ParsedNode): ParsedNode {
    return this.targets.get(node) ?? node;
  }

  nodeAt(root: ParsedNode | null, keys: readonly PropertyKey[]): ParsedNode | null {
    let node = root;
    for (const key of keys) {
      if (node === null) return null;
      const parent = this.target(node);
      if (isMap(parent)) node = pairOf(parent, String(key))?.value ?? null;
      else
        node = isSeq(parent) && typeof key === 'number' ? ((parent.items[key] as ParsedNode) ?? null) : null;
    }
    return node;
  }

  private problem(node: ParsedNode, what: string): UserError {
    return new UserError(`${this.at(node.range[0])} ${what}`);
  }
}

interface Anchor {
  readonly node: ParsedNode;
  value: unknown;
  /** Values that it holds, itself included. */
  size: number;
  /** Whether it is still being read: an alias to it would be a circle. */
  open: boolean;
}

function pairOf(
  map: YAMLMap,
  name: string,
): { readonly key: ParsedNode; readonly value: ParsedNode | null } | undefined {
  const found = map.items.find(({ key }) => isScalar(key) && String(key.value) === name);
  // Nodes of a parsed document are parsed nodes, which the type of `items` has forgotten.
  return found as { key: ParsedNode; value: ParsedNode | null } | undefined;
}

/**
 * Numbers with an exponent, such as 1e-8. Readers of YAML 1.1 (PyYAML) take them for numbers only with a dot and a sign:
 * 1.0e-8, 1.0e+21. All others are written as every version reads them.
 */
const exponentTag: ScalarTag = {
  tag: 'tag:yaml.org,2002:float',
  default: true,
  identify: (value) => typeof value === 'number' && Number.isFinite(value) && String(value).includes('e'),
  test: /^[-+]?[0-9]+\.[0-9]+e[-+][0-9]+$/,
  resolve: Number,
  stringify: ({ value }) => {
    const [mantissa = '', exponent = ''] = String(value).split('e');
    return `${mantissa.includes('.') ? mantissa : `${mantissa}.0`}e${exponent}`;
  },
};

/** A value as YAML that readers of YAML 1.1 and of 1.2 take for the same value, numbers and texts alike. */
export function stringifyYaml(value: unknown): string {
  return stringify(value, {
    compat: 'yaml-1.1',
    customTags: (tags) => [exponentTag, ...tags],
    // An object that stands twice is written twice: our reader follows aliases, others' may not.
    aliasDuplicateObjects: false,
  });
}
