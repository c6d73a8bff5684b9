import fs from 'node:fs';
import path from 'node:path';
import { isMap, isNode, isScalar, LineCounter, parseDocument, type Document } from 'yaml';
import { UserError } from '../../data/errors.js';

/** A parsed YAML file that can say where each of its keys stands. */
export interface YamlSource {
  readonly file: string;
  /** The file's value as plain data; an empty object for an empty file. */
  readonly value: Record<string, unknown>;
  /** `file:line:column` of the value (or, with `key`, of that key of it) at a path, or null if it is not here. */
  locate(keys: readonly PropertyKey[], key?: string): string | null;
}

/** Reads a YAML file whose top level is a map. Throws a UserError with file, line and column when it is none. */
export function readYaml(file: string): YamlSource {
  let text: string;
  try {
    text = fs.readFileSync(file, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new UserError(
      `cannot read config ${file}: ${code === 'ENOENT' ? 'there is no such file' : message}`,
    );
  }
  return parseYaml(file, text);
}

export function parseYaml(file: string, text: string): YamlSource {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, uniqueKeys: true });
  const [problem] = document.errors;
  const shown = path.relative(process.cwd(), path.resolve(file)) || file;
  const at = (offset: number): string => {
    const { line, col } = lineCounter.linePos(offset);
    return `${shown}:${line}:${col}`;
  };
  if (problem !== undefined) throw new UserError(`${at(problem.pos[0])} ${problem.message.split('\n')[0]}`);
  const value: unknown = document.toJS();
  if (value !== null && !isRecord(value)) throw new UserError(`${at(0)} expected a map of keys to values`);
  return {
    file,
    value: value ?? {},
    locate: (keys, key) => {
      const offset = offsetOf(document, keys, key);
      return offset === null ? null : at(offset);
    },
  };
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function offsetOf(document: Document, keys: readonly PropertyKey[], key: string | undefined): number | null {
  const node: unknown = keys.length === 0 ? document.contents : document.getIn(keys, true);
  if (!isNode(node) || node.range === undefined || node.range === null) return null;
  if (key === undefined) return node.range[0];
  if (!isMap(node)) return null;
  for (const { key: name } of node.items) {
    if (isScalar(name) && String(name.value) === key) return name.range?.[0] ?? null;
  }
  return null;
}
