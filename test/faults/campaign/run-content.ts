import fs from 'node:fs';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { decodeSafetensors } from '../../../src/store/safetensors.js';
import { polars } from '../../store/polars.js';

/** Columns that differ from run to run: times. */
const volatileColumns: Readonly<Record<string, readonly string[]>> = { steps: ['step_ms', 'log_ms'] };

/** Entries of JSON files that differ from run to run: times, processes, names of groups, and how often it was looked. */
const volatileEntries = new Set([
  'started',
  'updated',
  'ended',
  'process',
  'group',
  'looks',
  'written',
  'time',
  'command',
  'versions',
]);

/** All files below a folder, as paths relative to it, sorted. Links are not followed. */
export function filesIn(folder: string): string[] {
  if (!fs.existsSync(folder)) return [];
  return fs
    .readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .sort();
}

/** Everything below a folder with its content, to see whether anything changed. */
export function snapshot(folder: string): Map<string, string> {
  return new Map(
    filesIn(folder).map((name) => {
      const file = path.join(folder, name);
      const content = fs.lstatSync(file).isSymbolicLink()
        ? fs.readlinkSync(file)
        : fs.readFileSync(file, 'latin1');
      return [name, content];
    }),
  );
}

/** What changed between two snapshots. */
export function changes(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): string[] {
  const names = new Set([...before.keys(), ...after.keys()]);
  return [...names].flatMap((name) => {
    if (!after.has(name)) return [`${name} is gone`];
    if (!before.has(name)) return [`${name} is new`];
    return before.get(name) === after.get(name) ? [] : [`${name} changed`];
  });
}

/**
 * Tables whose numbers are sums in float32 over gradients of all replicas at once: when a replica fails and the others go
 * on without it, the same sums are formed in another order.
 */
const dependingOnReplicas = new Set(['gradients', 'gram', 'sketches', 'vectors']);
/** Rounding of such a sum, of the largest number in its column; 1e-6 was the largest seen. */
const rounding = 1e-5;

/**
 * What differs between folders of runs that should be the same: weights, tables without their times, JSON.
 *
 * @param replicas whether all were trained in the replicas they began in: otherwise logged gradients may differ in
 *   rounding (weights must not), and a run may have no siblings
 */
export function differences(
  actual: string,
  expected: string,
  replicas: 'kept' | 'changed' = 'kept',
): string[] {
  const [own, wanted] = [filesIn(actual), filesIn(expected)];
  const problems = [
    ...wanted.filter((name) => !own.includes(name)).map((name) => `${name} is missing`),
    ...own.filter((name) => !wanted.includes(name)).map((name) => `left over: ${name}`),
  ];
  for (const name of own.filter((name) => wanted.includes(name))) {
    const problem = fileDiffers(path.join(actual, name), path.join(expected, name), replicas);
    if (problem !== null) problems.push(`${name}: ${problem}`);
  }
  return problems;
}

function fileDiffers(actual: string, expected: string, replicas: 'kept' | 'changed' = 'kept'): string | null {
  const [own, wanted] = [fs.readFileSync(actual), fs.readFileSync(expected)];
  if (own.equals(wanted)) return null;
  try {
    if (actual.endsWith('.arrow')) {
      const table = path.basename(actual, '.arrow');
      if (table === 'events') return eventsProblem(own);
      const tolerance = toleranceOf(table, replicas);
      return sameRows(recordsOf(table, own), recordsOf(table, wanted), tolerance) ? null : 'other rows';
    }
    if (actual.endsWith('.safetensors')) return tensorsDiffer(actual, own, wanted);
    if (actual.endsWith('.json')) return jsonDiffers(own, wanted, replicas === 'changed' ? ['siblings'] : []);
    return 'other content';
  } catch (error) {
    return `cannot be read: ${firstLine(error)}`;
  }
}

/** Rows of a table in the Arrow file format, without what differs from run to run. */
function recordsOf(table: string, bytes: Uint8Array): Record<string, unknown>[] {
  const dropped = volatileColumns[table] ?? [];
  return polars
    .readIPC(bytes)
    .toRecords()
    .map((row) => Object.fromEntries(Object.entries(row).filter(([name]) => !dropped.includes(name))));
}

function toleranceOf(table: string, replicas: 'kept' | 'changed'): number {
  return replicas === 'changed' && dependingOnReplicas.has(table) ? rounding : 0;
}

/** Whether rows are the same, numbers up to `tolerance` times the largest number of their column. */
export function sameRows(
  actual: readonly Record<string, unknown>[],
  expected: readonly Record<string, unknown>[],
  tolerance: number,
): boolean {
  if (tolerance === 0) return isDeepStrictEqual(actual, expected);
  if (actual.length !== expected.length) return false;
  const largest = new Map<string, number>();
  for (const row of expected)
    for (const [name, value] of Object.entries(row))
      for (const number of numbersIn(value))
        largest.set(name, Math.max(largest.get(name) ?? 0, Math.abs(number)));
  return actual.every((row, i) =>
    Object.entries(expected[i]!).every(([name, wanted]) => {
      const [a, b] = [[...numbersIn(row[name])], [...numbersIn(wanted)]];
      if (b.length === 0) return isDeepStrictEqual(row[name], wanted);
      const allowed = tolerance * largest.get(name)!;
      return a.length === b.length && a.every((number, j) => Math.abs(number - b[j]!) <= allowed);
    }),
  );
}

function* numbersIn(value: unknown): Iterable<number> {
  if (typeof value === 'number' && Number.isFinite(value)) yield value;
  else if (Array.isArray(value) || ArrayBuffer.isView(value))
    for (const item of Object.values(value)) yield* numbersIn(item);
}

function eventsProblem(bytes: Uint8Array): string | null {
  const kinds = polars
    .readIPC(bytes)
    .toRecords()
    .map((row) => row['kind']);
  return kinds[0] === 'start' && kinds.at(-1) === 'end' ? null : `events ${kinds.join(', ')}`;
}

function tensorsDiffer(file: string, own: Uint8Array, wanted: Uint8Array): string | null {
  const [a, b] = [decodeSafetensors(file, own).tensors, decodeSafetensors(file, wanted).tensors];
  // The metadata hold the lengths of the tables, which count the events of a resume.
  const name = a.find((tensor, i) => !isDeepStrictEqual(tensor, b[i]))?.name;
  return name === undefined && a.length === b.length ? null : `tensor ${name ?? b.at(-1)?.name} differs`;
}

function jsonDiffers(own: Uint8Array, wanted: Uint8Array, ignored: readonly string[]): string | null {
  const [a, b] = [own, wanted].map((bytes): unknown => JSON.parse(Buffer.from(bytes).toString()));
  const place = differingPlace(a, b, [], new Set([...volatileEntries, ...ignored]));
  return place === null ? null : `${place.join('.') || 'the content'} differs`;
}

function differingPlace(
  a: unknown,
  b: unknown,
  place: readonly string[],
  ignored: ReadonlySet<string>,
): readonly string[] | null {
  if (isDeepStrictEqual(a, b)) return null;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return place;
  const [first, second] = [new Map(Object.entries(a)), new Map(Object.entries(b))];
  for (const key of new Set([...first.keys(), ...second.keys()])) {
    if (ignored.has(key)) continue;
    const found = differingPlace(first.get(key), second.get(key), [...place, key], ignored);
    if (found !== null) return found;
  }
  return null;
}

/**
 * Problems of a folder of runs in which a command was stopped: a file with a final name that is not whole, a table that
 * is no beginning of the undisturbed one, rows that a checkpoint counts and the stream does not have.
 */
export function problemsMidway(
  actual: string,
  expected: string,
  replicas: 'kept' | 'changed' = 'kept',
): string[] {
  const problems: string[] = [];
  for (const name of filesIn(actual)) {
    const file = path.join(actual, name);
    const wanted = path.join(expected, name);
    try {
      if (name.endsWith('.arrow') && fs.existsSync(wanted)) {
        const problem = fileDiffers(file, wanted, replicas);
        if (problem !== null) problems.push(`${name}: ${problem}`);
      } else if (name.endsWith('.arrow')) polars.readIPC(fs.readFileSync(file));
      else if (name.endsWith('.safetensors')) decodeSafetensors(file, fs.readFileSync(file));
      else if (name.endsWith('.json')) JSON.parse(fs.readFileSync(file, 'utf8'));
      else if (name.endsWith('.yaml') && fs.existsSync(wanted)) {
        if (fs.readFileSync(file, 'utf8') !== fs.readFileSync(wanted, 'utf8'))
          problems.push(`${name}: other content`);
      } else if (name.endsWith('.arrows')) problems.push(...streamProblems(file, wanted, replicas));
    } catch (error) {
      problems.push(`${name}: cannot be read: ${firstLine(error)}`);
    }
  }
  return problems;
}

/** Problems of a stream: `complete` is the path of the undisturbed one, whose table is the file beside it. */
function streamProblems(file: string, complete: string, replicas: 'kept' | 'changed'): string[] {
  const table = path.basename(file, '.arrows');
  const bytes = fs.readFileSync(file);
  const { end, batches } = wholeMessages(bytes);
  const reference = path.join(path.dirname(complete), `${table}.arrow`);
  const checkpoint = lastCheckpoint(path.dirname(file));
  const counted = checkpoint?.tables[table] ?? 0;
  if (counted > end)
    return [`${table}.arrows: the checkpoint counts ${counted} bytes, ${end} are whole: lost`];
  if (batches === 0 || table === 'events' || !fs.existsSync(reference)) return [];
  const whole = Buffer.concat([bytes.subarray(0, end), Buffer.from([255, 255, 255, 255, 0, 0, 0, 0])]);
  const dropped = volatileColumns[table] ?? [];
  const rows = polars
    .readIPCStream(whole)
    .toRecords()
    .map((row) => Object.fromEntries(Object.entries(row).filter(([name]) => !dropped.includes(name))));
  const wanted = recordsOf(table, fs.readFileSync(reference));
  const problems: string[] = [];
  if (!sameRows(rows, wanted.slice(0, rows.length), toleranceOf(table, replicas)))
    problems.push(`${table}.arrows: its rows are no beginning of the undisturbed run's`);
  const counts =
    checkpoint === null ? 0 : wanted.filter(({ step }) => Number(step) <= checkpoint.step).length;
  if (table === 'steps' && rows.length < counts)
    problems.push(`steps.arrows: ${rows.length} rows, the checkpoint counts ${counts}: lost`);
  return problems;
}

/** End of the last complete message of an Arrow stream, by its framing alone, and the record batches before it. */
export function wholeMessages(bytes: Uint8Array): { readonly end: number; readonly batches: number } {
  let [end, batches] = [0, 0];
  try {
    for (let next = messageAt(bytes, end); next !== null; next = messageAt(bytes, end)) {
      if (next.isBatch) batches++;
      end = next.end;
    }
  } catch (error) {
    // Damage that leads outside the bytes ends what is whole.
    if (!(error instanceof RangeError)) throw error;
  }
  return { end, batches };
}

/** The message that begins at a byte; null where none does, or where it is cut. Throws a RangeError for a damaged one. */
function messageAt(
  bytes: Uint8Array,
  at: number,
): { readonly end: number; readonly isBatch: boolean } | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const recordBatch = 3;
  if (at + 8 > bytes.length || view.getInt32(at, true) !== -1) return null;
  const length = view.getInt32(at + 4, true);
  const start = at + 8;
  if (length <= 0 || start + length > bytes.length) return null;
  const message = start + view.getInt32(start, true);
  const vtable = message - view.getInt32(message, true);
  const slots = (view.getUint16(vtable, true) - 4) / 2;
  const slot = (i: number): number => (i < slots ? view.getUint16(vtable + 4 + 2 * i, true) : 0);
  const body = slot(3) === 0 ? 0 : Number(view.getBigInt64(message + slot(3), true));
  const end = start + length + body;
  if (body < 0 || end > bytes.length) return null;
  return { end, isBatch: slot(1) !== 0 && view.getUint8(message + slot(1)) === recordBatch };
}

interface CheckpointFacts {
  readonly step: number;
  /** Bytes of each stream at the checkpoint. */
  readonly tables: Readonly<Record<string, number>>;
}

function lastCheckpoint(run: string): CheckpointFacts | null {
  const folder = path.join(run, 'checkpoints');
  const name = filesIn(folder).findLast((file) => file.endsWith('.safetensors'));
  if (name === undefined) return null;
  const file = path.join(folder, name);
  const { metadata } = decodeSafetensors(file, fs.readFileSync(file));
  const facts: { position: { step: number }; tables: Record<string, number> } = JSON.parse(
    metadata['gradscope'] ?? '',
  );
  return { step: facts.position.step, tables: facts.tables };
}

export function firstLine(error: unknown): string {
  return (error instanceof Error ? `${error.name}: ${error.message}` : String(error)).split('\n')[0] ?? '';
}
