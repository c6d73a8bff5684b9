import fs from 'node:fs';
import path from 'node:path';
import { UserError } from '../../data/errors.js';
import { parseYaml, type YamlText } from '../../data/yaml.js';

/** A parsed YAML file that can say where each of its keys stands. */
export interface YamlSource extends YamlText {
  readonly file: string;
  /** The file's value as plain data; an empty object for an empty file. */
  readonly value: Record<string, unknown>;
}

/** Bytes of a config file, at most: the longest preset has three thousand, and a second's parsing is a megabyte. */
const largest = 1 << 18;

/**
 * Reads a YAML file whose top level is a map. Throws a UserError, one line, for a file that is none, or is no file to
 * read at all: a folder, a device, a pipe, one too large.
 */
export function readYaml(file: string): YamlSource {
  return parseYamlFile(file, readBounded(file));
}

/** The same for the text of a file. */
function parseYamlFile(file: string, text: string): YamlSource {
  const relative = path.relative(process.cwd(), path.resolve(file));
  const shown = relative === '' || relative.startsWith('..') ? file : relative;
  const parsed = parseYaml(shown, text);
  const { value } = parsed;
  if (value !== null && !isRecord(value))
    throw new UserError(`${shown}:1:1 expected a map of keys to values`);
  return { ...parsed, file, value: value ?? {} };
}

function readBounded(file: string): string {
  const refuse = (why: string): UserError => new UserError(`cannot read config ${file}: ${why}`);
  let descriptor: number | null = null;
  try {
    // Opening a pipe that nobody writes would wait for ever.
    descriptor = fs.openSync(file, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
    const status = fs.fstatSync(descriptor);
    if (status.isDirectory()) throw refuse('it is a folder; name a file in it');
    if (!status.isFile()) throw refuse('it is no file but a device, a pipe or a socket');
    // One byte more than may be: files that the kernel makes have no size.
    const bytes = Buffer.alloc(largest + 1);
    let length = 0;
    for (;;) {
      const read = fs.readSync(descriptor, bytes, length, bytes.length - length, null);
      length += read;
      if (length > largest) throw refuse(`it has more than ${largest} bytes, which no config has`);
      if (read === 0) return bytes.toString('utf8', 0, length);
    }
  } catch (error) {
    if (error instanceof UserError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    throw refuse(code === 'ENOENT' ? 'there is no such file' : message);
  } finally {
    if (descriptor !== null) fs.closeSync(descriptor);
  }
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
