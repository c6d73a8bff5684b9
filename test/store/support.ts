import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import type { ColumnSet } from '../../src/store/column-views.js';
import * as columns from '../../src/store/columns.js';
import type { TableDefinition } from '../../src/store/columns.js';
import type { Environment } from '../../src/store/environment.js';
import { nodeFileSystem } from '../../src/store/file-system.js';
import type { FileSystem } from '../../src/store/file-system.js';
import { tables } from '../../src/store/tables/registry.js';
import { TableReader } from '../../src/store/table-reader.js';
import { TableWriter } from '../../src/store/table-writer.js';
import { dimensions } from './samples.js';

export { dimensions, newRun } from './samples.js';

const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) fs.rmSync(folder, { recursive: true, force: true });
});

/** An empty folder that goes when the test ends. */
export function temporaryFolder(): string {
  const folder = fs.mkdtempSync(join(tmpdir(), 'gradscope-store-'));
  folders.push(folder);
  return folder;
}

/** A table with a column of every kind, and a nullable one of every kind that may hold nulls. */
export const everyKind = {
  name: 'every_kind',
  row: 'one test row',
  columns: {
    i32: columns.int32('int32'),
    i32_null: columns.int32('int32 with nulls', { nullable: true }),
    f64: columns.float64('float64'),
    f64_null: columns.float64('float64 with nulls', { nullable: true }),
    f32: { kind: 'float32', nullable: false, unit: '1', description: 'float32' },
    f32_null: { kind: 'float32', nullable: true, unit: '1', description: 'float32 with nulls' },
    flag: columns.bool('bool'),
    text: columns.utf8('utf8'),
    word: columns.dictionary('dictionary', ['zero', 'one', 'zwei', '三']),
    triple: columns.fixedListFloat32('fixed-size list', (d) => d.sketchSize),
    f32s: columns.listFloat32('list of float32'),
    i32s: columns.listInt32('list of int32'),
    f64s: columns.listFloat64('list of float64'),
  },
} as const satisfies TableDefinition;

/** A row of {@link everyKind}; `null` where the column may hold nulls. */
export interface Row {
  i32: number;
  i32_null: number | null;
  f64: number;
  f64_null: number | null;
  f32: number;
  f32_null: number | null;
  flag: boolean;
  text: string;
  word: string;
  triple: number[];
  f32s: number[];
  i32s: number[];
  f64s: number[];
}

/** Put rows into a writer of {@link everyKind}. */
export function fill(writer: TableWriter<typeof everyKind>, rows: readonly Row[]): void {
  const first = writer.reserve(rows.length);
  for (const [i, row] of rows.entries()) {
    const at = first + i;
    writer.column('i32')[at] = row.i32;
    writer.column('i32_null')[at] = row.i32_null ?? -2147483648;
    writer.column('f64')[at] = row.f64;
    writer.column('f64_null')[at] = row.f64_null ?? Number.NaN;
    writer.column('f32')[at] = row.f32;
    writer.column('f32_null')[at] = row.f32_null ?? Number.NaN;
    writer.column('flag')[at] = row.flag ? 1 : 0;
    writer.column('text')[at] = row.text;
    writer.column('word')[at] = writer.indexOf('word', row.word);
    writer.column('triple').set(row.triple, at * 3);
    writer.column('f32s').push(Float32Array.from(row.f32s));
    writer.column('i32s').push(Int32Array.from(row.i32s));
    writer.column('f64s').extend(row.f64s.length).set(row.f64s);
  }
}

/** All rows of columns, as plain objects. */
export function plainRows(set: ColumnSet): Record<string, unknown>[] {
  return Array.from({ length: set.rows }, (_, row) =>
    Object.fromEntries(set.names.map((name) => [name, plainValue(set, name, row)])),
  );
}

function plainValue(set: ColumnSet, name: string, row: number): unknown {
  const view = set.view(name);
  if (view.valid?.[row] === 0) return null;
  if (view.kind === 'dictionary') return view.values[view.indices[row] ?? -1];
  if (view.kind === 'bool') return view.values[row] === 1;
  if (view.kind === 'fixed-list-float32') {
    return [...view.values.subarray(row * view.size, (row + 1) * view.size)];
  }
  if ('offsets' in view) return [...view.values.subarray(view.offsets[row], view.offsets[row + 1])];
  return view.values[row];
}

/** All rows of a table, whatever its state. */
export async function rowsOf(folder: string, table: string): Promise<Record<string, unknown>[]> {
  const reader = await TableReader.open(folder, table);
  try {
    const rows: Record<string, unknown>[] = [];
    for (const i of reader.batches.keys()) rows.push(...plainRows(await reader.readBatch(i)));
    return rows;
  } finally {
    await reader.close();
  }
}

/** A writer of the `gradients` table. */
export function gradientsWriter(
  folder: string,
  options: { batchRows?: number; fs?: FileSystem } = {},
): TableWriter<typeof tables.gradients> {
  return TableWriter.create({ folder, table: tables.gradients, dimensions, ...options });
}

/** Reserve and fill rows of the `gradients` table: the given steps, `norm2` = step / 8, nulls at odd steps. */
export function fillGradients(writer: TableWriter<typeof tables.gradients>, steps: readonly number[]): void {
  const first = writer.reserve(steps.length);
  for (const [i, step] of steps.entries()) {
    const row = first + i;
    writer.column('stage')[row] = 0;
    writer.column('step')[row] = step;
    writer.column('group')[row] = step % 4;
    writer.column('tensor')[row] = step % 4;
    writer.column('norm2')[row] = step / 8;
    writer.column('example_norm2')[row] = step % 2 === 1 ? Number.NaN : step;
  }
}

/** Write the table `gram` of a folder: a stream of the given steps in batches of ten rows, `inner` = step / 8. */
export function writeGram(
  folder: string,
  steps: readonly number[],
  batchRows = 10,
): TableWriter<typeof tables.gram> {
  const writer = TableWriter.create({ folder, table: tables.gram, dimensions, batchRows });
  for (const step of steps) {
    const row = writer.reserve(1);
    for (const name of ['stage', 'tensor', 'group_a', 'group_b'] as const) writer.column(name)[row] = 0;
    writer.column('step')[row] = step;
    writer.column('inner')[row] = step / 8;
  }
  writer.close();
  return writer;
}

/** `count` numbers from `from` on. */
export function range(from: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => from + i);
}

/** A file system that takes `budget` bytes and then fails every write with `code`. */
export function failingFileSystem(
  budget: number,
  code = 'ENOSPC',
): FileSystem & { budget: number; truncations: number } {
  const failing = {
    ...nodeFileSystem,
    budget,
    truncations: 0,
    write(fd: number, chunks: readonly Uint8Array[], position: number): number {
      if (failing.budget <= 0) throw Object.assign(new Error(`${code}: no luck, write`), { code });
      // A full device takes what still fits and fails only at the next call.
      const bytes = Buffer.concat(chunks).subarray(0, failing.budget);
      failing.budget -= bytes.length;
      return nodeFileSystem.write(fd, [bytes], position);
    },
    truncate(fd: number, length: number): void {
      failing.truncations++;
      nodeFileSystem.truncate(fd, length);
    },
  };
  return failing;
}

/** A Python with pyarrow, or the reason why there is none. */
export function pythonWithArrow(): { python: string } | { reason: string } {
  const python = process.env['GRADSCOPE_PYTHON'] ?? 'python3';
  const { status, stderr, error } = spawnSync(python, ['-c', 'import pyarrow'], { encoding: 'utf8' });
  if (status === 0) return { python };
  const last = error?.message ?? stderr.trim().split('\n').at(-1) ?? '';
  return { reason: `${python} (set GRADSCOPE_PYTHON to another): ${last}` };
}

/** Start a program of test/store/children. */
export function startChild(name: string, ...args: string[]): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, ['--import', 'tsx', `test/store/children/${name}.ts`, ...args]);
}

/** The first line that a child prints, or its standard error when it prints none. */
export function firstLine(child: ChildProcessWithoutNullStreams): Promise<string> {
  return new Promise((resolve) => {
    let [out, err] = ['', ''];
    child.stderr.on('data', (text: Buffer) => (err += text.toString()));
    child.stdout.on('data', (text: Buffer) => {
      out += text.toString();
      const end = out.indexOf('\n');
      if (end >= 0) resolve(out.slice(0, end));
    });
    child.on('close', () => resolve(out === '' ? err : out));
  });
}

/** Wait until a child has ended. */
export function ended(child: ChildProcessWithoutNullStreams): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve();
    else child.on('close', () => resolve());
  });
}

let tokens = 0;

/** An environment with a process id, a clock and processes of its own. */
export function fakeEnvironment(
  pid: number,
  alive: ReadonlyMap<number, string>,
  host = 'here',
  pidNamespace = 'pid:[1]',
): Environment & { time: Date } {
  const environment = {
    fs: nodeFileSystem,
    processes: { pid, host, pidNamespace, birth: (id: number) => alive.get(id) ?? null },
    time: new Date('2026-01-02T03:04:05.678Z'),
    now: () => environment.time,
    elapsed: () => environment.time.getTime(),
    // Those who wait are not kept waiting.
    sleep: async (ms: number) => void (environment.time = new Date(environment.time.getTime() + ms)),
    token: () => `token ${tokens++}`,
    heartbeat: () => () => {},
    job: null,
  };
  return environment;
}
