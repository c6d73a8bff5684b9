import { UserError } from '../../data/errors.js';
import { decodeDictionary, impossibleRows } from './column-decoder.js';
import type { ResolvedColumn } from './columns.js';
import { systemMessage } from './file-system.js';
import type { FileSystem } from './file-system.js';
import { formatVersion, metadataKeys } from './format.js';
import type { ParsedMessage } from './message-parser.js';
import { parseSchema } from './schema-parser.js';
import type { ColumnLayout, FileColumn } from './schema-parser.js';
import { dictionaryMessage } from './stream-header.js';
import type { TableSchema } from './table-schema.js';
import { scanStream } from './stream-scan.js';
import type { ReadAt } from './stream-scan.js';

/**
 * Open a stream, check that it begins with this schema and these dictionaries and that a message ends at
 * `byteOffset`, and cut it there. Gives the open file, the rows that stay, and the messages to go on with: an earlier
 * version may have had fewer values in a dictionary that grows. Throws a UserError where the stream does not fit, and
 * leaves it as it is then.
 */
export function resumeStream(
  fs: FileSystem,
  path: string,
  expected: TableSchema,
  byteOffset: number,
): { fd: number; rows: number; missing: Uint8Array[] } {
  const fd = openExisting(fs, path);
  try {
    const readAt = readerOf(fs, fd);
    const size = fs.size(fd);
    if (size < byteOffset) {
      throw unfit(path, `it has ${size} bytes, fewer than the ${byteOffset} of the checkpoint`);
    }
    const { rows, missing } = checked(path, readAt, expected, byteOffset);
    fs.truncate(fd, byteOffset);
    return { fd, rows, missing };
  } catch (error) {
    fs.close(fd);
    if (error instanceof UserError) throw error;
    throw unfit(path, systemMessage(error), error);
  }
}

/** Position behind the last whole message of a stream; 0 for one that cannot be read. */
export function endOfWholeMessages(fs: FileSystem, path: string): number {
  let fd: number;
  try {
    fd = fs.open(path, 'change');
  } catch {
    return 0;
  }
  try {
    const steps = scanStream(readerOf(fs, fd), 0, fs.size(fd));
    for (let step = steps.next(); ; step = steps.next()) if (step.done === true) return step.value.end;
  } finally {
    fs.close(fd);
  }
}

/** Cut a stream at `length`. Throws a UserError for one that is missing or shorter, or that cannot be cut. */
export function cutStream(fs: FileSystem, path: string, length: number): void {
  const fd = openExisting(fs, path);
  try {
    const size = fs.size(fd);
    if (size < length) throw unfit(path, `it has ${size} bytes, fewer than the ${length} of the checkpoint`);
    if (size > length) fs.truncate(fd, length);
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw unfit(path, systemMessage(error), error);
  } finally {
    fs.close(fd);
  }
}

function readerOf(fs: FileSystem, fd: number): ReadAt {
  return (position, length) => {
    const bytes = new Uint8Array(length);
    return bytes.subarray(0, fs.read(fd, bytes, position));
  };
}

function openExisting(fs: FileSystem, path: string): number {
  try {
    return fs.open(path, 'change');
  } catch (error) {
    const reason = fs.exists(path.slice(0, -1))
      ? `it was finalized to ${path.slice(0, -1)}, and a finalized table cannot be continued`
      : systemMessage(error);
    throw unfit(path, reason, error);
  }
}

/** Rows before `byteOffset` and what the dictionaries lack, once the messages before it are found to be the expected ones. */
function checked(
  path: string,
  readAt: ReadAt,
  expected: TableSchema,
  byteOffset: number,
): { rows: number; missing: Uint8Array[] } {
  let columns: readonly FileColumn[] | null = null;
  let layout: readonly ColumnLayout[] = [];
  let rows = 0;
  const steps = scanStream(readAt, 0, byteOffset);
  for (let step = steps.next(); ; step = steps.next()) {
    if (step.done === true) {
      if (step.value.end !== byteOffset) throw unfit(path, `no batch ends at byte ${byteOffset}`);
      break;
    }
    const { message, offset, metadataLength, bodyLength } = step.value;
    if (columns === null) {
      layout = layoutIn(path, message, expected);
      columns = layout.flatMap(({ column }) => column ?? []);
    } else if (message.kind === 'dictionary') {
      const { id, batch } = message.dictionary();
      const values = decodeDictionary(batch, readAt(offset + metadataLength, bodyLength), false);
      for (const column of columns) if (column.dictionaryId === id) column.values.push(...values);
    }
    const impossible = message.kind === 'batch' ? impossibleRows(layout, step.value) : null;
    if (impossible !== null) throw unfit(path, impossible);
    rows += step.value.rows;
  }
  return { rows, missing: compare(path, columns ?? [], expected.columns) };
}

function layoutIn(path: string, message: ParsedMessage, expected: TableSchema): readonly ColumnLayout[] {
  const schema = parseSchema(message.header);
  const found = `${schema.metadata.get(metadataKeys.table)}, format ${schema.metadata.get(metadataKeys.version)}`;
  const wanted = `${expected.table}, format ${formatVersion}`;
  if (found !== wanted) throw unfit(path, `it holds the table ${found}, not ${wanted}`);
  const other = schema.layout.find(
    ({ column }) => column === null || column.encoding.indexBytes !== 4 || column.encoding.large,
  );
  if (other !== undefined)
    throw unfit(path, `column ${other.name} (${other.type}) was not written by gradscope`);
  return schema.layout;
}

/** Messages with the values that dictionaries of the stream lack. */
function compare(
  path: string,
  found: readonly FileColumn[],
  expected: readonly ResolvedColumn[],
): Uint8Array[] {
  const missing: Uint8Array[] = [];
  for (const [i, column] of expected.entries()) {
    const there = found[i];
    const known = there?.values.length ?? 0;
    const lacks = column.grows && known > 0 && known < column.values.length;
    const fitting = lacks ? { ...column, values: column.values.slice(0, known) } : column;
    if (there === undefined || summary(there) !== summary(fitting)) {
      throw unfit(path, `column ${i + 1} is ${there ? summary(there) : 'missing'}, not ${summary(column)}`);
    }
    const other = fitting.values.findIndex((value, at) => value !== there.values[at]);
    if (other >= 0) {
      const value = there.values[other] ?? 'missing';
      throw unfit(
        path,
        `value ${other} of the dictionary ${column.name} is ${value}, not ${column.values[other]}`,
      );
    }
    if (lacks) missing.push(...dictionaryMessage(column, known).chunks);
  }
  if (found.length > expected.length) {
    throw unfit(path, `it has ${found.length} columns, not ${expected.length}`);
  }
  return missing;
}

function summary({ name, kind, nullable, size, values }: ResolvedColumn): string {
  const extent = kind === 'dictionary' ? ` of ${values.length} values` : size > 0 ? ` of ${size}` : '';
  return `${name} (${nullable ? 'nullable ' : ''}${kind}${extent})`;
}

function unfit(path: string, reason: string, cause?: unknown): UserError {
  return new UserError(
    `${path}: the run cannot go on in this table: ${reason}; resume it from the checkpoint and the configuration that wrote it, or start a new run`,
    { cause },
  );
}
