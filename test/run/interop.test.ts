import fs from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { ColumnView } from '../../src/store/column-views.js';
import { groupColumnName } from '../../src/store/columns.js';
import { readColumns } from '../../src/store/read-columns.js';
import { recoverRun } from '../../src/store/recover.js';
import { readRunInfo } from '../../src/store/run-folder.js';
import { TableReader } from '../../src/store/table-reader.js';
import { polars, type Frame } from '../store/polars.js';
import { checkpointReached, commandLine, gradscope } from '../support/command-line.js';
import { useTestEngine } from '../train/support/engine.js';
import { temporaryFolder, tiny, trainTiny } from './support.js';

/** Every quantity at many steps. */
const dense = [
  'model.layers=1',
  'log.sketch={ every: 2 }',
  'log.vectors={ every: 3 }',
  'log.exampleNorms={ every: 2 }',
];

/** Columns whose values are compared, of every kind that a table has. */
const compared: Readonly<Record<string, readonly string[]>> = {
  steps: ['stage', 'step', 'loss', 'grad_norm', 'update_norm'],
  batches: ['stage', 'step', 'stage_step', 'examples', 'images'],
  cooccurrence: ['stage', 'step', 'stage_step', 'matched', 'mismatched', 'assigned'],
  examples: [
    'example',
    'group',
    'name',
    'entity',
    'tag',
    'text',
    'tokens',
    'labels',
    'weights',
    'probability',
  ],
  gradients: ['step', 'group', 'tensor', 'norm2', 'example_norm2'],
  gram: ['step', 'tensor', 'group_a', 'group_b', 'inner', 'cosine'],
  vectors: ['step', 'group', 'tensor', 'offset', 'values'],
  sketches: ['step', 'group', 'tensor', 'sketch'],
  metrics: ['step', 'set', 'subset', 'metric', 'value', 'n', 'standard_error'],
  events: ['step', 'kind', 'message'],
};
const tables = Object.keys(compared);

const folderOf = (root: string): string => path.join(root, 'set-inclusion', 'tiny-seed0');

const readFile = (folder: string, table: string): Frame =>
  polars.readIPC(fs.readFileSync(path.join(folder, `${table}.arrow`)));

/** A column of ours as plain values. */
function plain(view: ColumnView): unknown[] {
  const value = (row: number): unknown => {
    if (view.valid?.[row] === 0) return null;
    switch (view.kind) {
      case 'dictionary':
        return view.values[view.indices[row]!];
      case 'fixed-list-float32':
        return Array.from(view.values.subarray(row * view.size, (row + 1) * view.size));
      case 'list-float32':
      case 'list-int32':
        return Array.from(view.values.subarray(view.offsets[row], view.offsets[row + 1]));
      case 'int32':
      case 'float64':
      case 'utf8':
        return view.values[row];
      default:
        throw new Error(`a column of kind ${view.kind}`);
    }
  };
  return Array.from({ length: view.length }, (_, row) => value(row));
}

/** Equal bit for bit; numbers of float32 come as they are. */
function same(a: unknown, b: unknown): boolean {
  if (!Array.isArray(a)) return Object.is(a, b);
  return Array.isArray(b) && a.length === b.length && a.every((value, i) => Object.is(value, b[i]));
}

/** Where our reader and polars differ about a table: rows, and the first value of each column. */
async function differences(folder: string, table: string, frame: Frame): Promise<string[]> {
  const reader = await TableReader.open(folder, table);
  try {
    const found: string[] = [];
    if (frame.shape.height !== reader.rows) found.push(`${reader.rows} rows, polars ${frame.shape.height}`);
    const records = frame.toRecords();
    const columns = await readColumns(reader, compared[table]!);
    for (const name of columns.names) {
      const [ours, theirs] = [plain(columns.view(name)), records.map((record) => record[name])];
      const row = ours.findIndex((value, i) => !same(value, theirs[i]));
      if (row >= 0) found.push(`${name}, row ${row}: ${String(ours[row])}, polars ${String(theirs[row])}`);
    }
    return found;
  } finally {
    await reader.close();
  }
}

/** Rows of a table, and where a batch of it is cut, or null. */
async function extent(folder: string, table: string): Promise<{ rows: number; cutAt: number | null }> {
  const reader = await TableReader.open(folder, table);
  const { rows, truncated } = reader;
  await reader.close();
  return { rows, cutAt: truncated?.atByte ?? null };
}

describe('a finished run', () => {
  const root = temporaryFolder();
  const folder = folderOf(root);
  const records = (table: string): Record<string, unknown>[] => readFile(folder, table).toRecords();
  const key = (...parts: unknown[]): string => parts.join(' ');

  beforeAll(async () => {
    await trainTiny({ root, engine: await useTestEngine(), overrides: dense });
  });

  test.each(tables)('%s is the same table to polars', async (table) => {
    expect(readFile(folder, table).shape.height).toBeGreaterThan(0);
    expect(await differences(folder, table, readFile(folder, table))).toEqual([]);
  });

  test('there is a row of gradients for each step, group that has examples, and tensor', () => {
    const info = readRunInfo(folder);
    const tensors = ['total', ...info.parameters.map(({ tensor }) => tensor)];
    const steps = records('steps');
    expect(steps).toHaveLength(info.stepsTotal);
    const expected = steps.flatMap((row) =>
      [
        'minibatch',
        ...info.groups.filter((group) => Number(row[groupColumnName('examples_', group)]) > 0),
      ].flatMap((group) => tensors.map((tensor) => key(row['step'], group, tensor))),
    );
    const found = records('gradients').map((row) => key(row['step'], row['group'], row['tensor']));
    expect(new Set(found)).toEqual(new Set(expected));
    expect(found).toHaveLength(expected.length);
  });

  test("the groups' vectors add up to the minibatch's, and have the norms and inner products of the log", () => {
    const norms2 = new Map(
      records('gradients').map((row) => [
        key(row['step'], row['group'], row['tensor']),
        Number(row['norm2']),
      ]),
    );
    const inner = new Map(
      records('gram').map((row) => [
        key(row['step'], row['tensor'], row['group_a'], row['group_b']),
        Number(row['inner']),
      ]),
    );
    /** step and tensor -> group -> vector */
    const vectors = new Map<string, Map<string, number[]>>();
    for (const row of records('vectors')) {
      const place = key(row['step'], row['tensor']);
      const groups = vectors.get(place) ?? new Map<string, number[]>();
      vectors.set(place, groups.set(String(row['group']), row['values'] as number[]));
    }
    expect(vectors.size).toBeGreaterThan(100);
    const dot = (a: readonly number[], b: readonly number[]): number =>
      a.reduce((sum, value, i) => sum + value * b[i]!, 0);
    let pairs = 0;
    /** step -> squared norm of the minibatch's vector over all tensors */
    const squares = new Map<number, number>();
    for (const [place, groups] of vectors) {
      const [step, tensor] = place.split(' ');
      const whole = groups.get('minibatch')!;
      const parts = [...groups].filter(([group]) => group !== 'minibatch');
      const largest = Math.max(...parts.flatMap(([, values]) => values.map(Math.abs)));
      const errors = whole.map((value, i) =>
        Math.abs(value - parts.reduce((sum, [, values]) => sum + values[i]!, 0)),
      );
      expect(Math.max(...errors), place).toBeLessThanOrEqual(1e-6 * largest);
      squares.set(Number(step), (squares.get(Number(step)) ?? 0) + dot(whole, whole));
      const scale = parts.reduce((sum, [, values]) => sum + dot(values, values), 0);
      const expectClose = (measured: number, logged: number, what: string): void =>
        expect(Math.abs(measured - logged), `${place} ${what}`).toBeLessThanOrEqual(1e-4 * scale + 1e-14);
      for (const [a, left] of groups) {
        expectClose(dot(left, left), norms2.get(key(step, a, tensor))!, a);
        for (const [b, right] of parts) {
          const logged = inner.get(key(step, tensor, a, b));
          if (logged === undefined) continue;
          pairs++;
          expectClose(dot(left, right), logged, `${a} ${b}`);
        }
      }
    }
    expect(pairs).toBeGreaterThan(100);
    // The norm in `steps` is that of the gradient that trains, which knows of no groups.
    const norms = new Map(records('steps').map((row) => [Number(row['step']), Number(row['grad_norm'])]));
    for (const [step, square] of squares)
      expect(Math.sqrt(square) / norms.get(step)!, String(step)).toBeCloseTo(1, 5);
  });
});

describe('a run that was killed with SIGKILL', () => {
  const root = temporaryFolder();
  const folder = folderOf(root);
  let cut: string;

  beforeAll(async () => {
    const settings = [...tiny, ...dense, 'stages.0.epochs=400', 'checkpoint.everySeconds=0.1'];
    await gradscope(
      [
        'run',
        'configs/set-inclusion-smoke.yaml',
        '--out',
        root,
        ...settings.flatMap((setting) => ['--set', setting]),
      ],
      (gone) => checkpointReached(folder, 14, gone),
    );
    cut = path.join(temporaryFolder(), 'cut');
    fs.cpSync(folder, cut, { recursive: true });
  });

  test('polars reads its streams up to their last whole batch, and their files after gradscope recover', async () => {
    const rows = new Map<string, number>();
    for (const table of tables) {
      const own = await extent(folder, table);
      rows.set(table, own.rows);
      const bytes = fs.readFileSync(path.join(folder, `${table}.arrows`));
      const frame = polars.readIPCStream(bytes.subarray(0, own.cutAt ?? bytes.length));
      expect(frame.shape.height, table).toBeGreaterThan(0);
      expect(await differences(folder, table, frame), table).toEqual([]);
    }
    const { code, stdout } = await commandLine(['recover', folder]);
    expect(code).toBe(0);
    for (const table of tables) {
      expect(stdout).toContain(`${folder}: ${table}: ${rows.get(table)} rows`);
      expect(readFile(folder, table).shape.height, table).toBe(rows.get(table));
      expect(await differences(folder, table, readFile(folder, table)), table).toEqual([]);
    }
    expect(readRunInfo(folder).status).toBe('interrupted');
  });

  test('of streams that were cut within a batch, the whole batches come back through recover', async () => {
    const before = new Map<string, number>();
    for (const table of tables) {
      const { rows, cutAt } = await extent(cut, table);
      before.set(table, rows);
      const stream = path.join(cut, `${table}.arrows`);
      // Behind the last batch there may be the end of the stream, which is 8 bytes.
      fs.truncateSync(stream, (cutAt ?? fs.statSync(stream).size) - 40);
    }
    for (const { table, rows, bytesDropped, error } of await recoverRun(cut)) {
      expect(error, table).toBeNull();
      expect(bytesDropped, table).toBeGreaterThan(0);
      expect(rows, table).toBeLessThan(before.get(table)!);
      expect(readFile(cut, table).shape.height, table).toBe(rows);
      expect(await differences(cut, table, readFile(cut, table)), table).toEqual([]);
    }
  });
});
