import fs from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { recoverRun } from '../../src/store/recover.js';
import { readColumns } from '../../src/store/read-columns.js';
import { TableReader } from '../../src/store/table-reader.js';
import { loadEngine } from '../../src/train/engine/load.js';
import { polars, type Frame } from '../store/polars.js';
import { temporaryFolder, trainTiny } from './support.js';

const finished = temporaryFolder();
const stopped = temporaryFolder();
const tables = ['steps', 'gradients', 'gram', 'sketches', 'vectors', 'metrics', 'events'];
const folderIn = (root: string): string => path.join(root, 'set-inclusion', 'tiny-seed0');

beforeAll(async () => {
  const engine = await loadEngine({ engine: 'auto' });
  await trainTiny({ root: finished, engine });
  await trainTiny({
    root: stopped,
    engine,
    onProgress: ({ step }, abort) => {
      if (step === 11) abort();
    },
  });
}, 120_000);

const file = (table: string): Frame =>
  polars.readIPC(fs.readFileSync(path.join(folderIn(finished), `${table}.arrow`)));
const stream = (table: string): Frame =>
  polars.readIPCStream(fs.readFileSync(path.join(folderIn(stopped), `${table}.arrows`)));

async function ownRows(folder: string, table: string): Promise<number> {
  const reader = await TableReader.open(folder, table);
  try {
    return reader.rows;
  } finally {
    await reader.close();
  }
}

describe('polars reads the tables of real runs', () => {
  test.each(tables)('%s: file of a finished run, stream of a stopped one', async (table) => {
    expect(file(table).shape.height).toBe(await ownRows(folderIn(finished), table));
    expect(stream(table).shape.height).toBe(await ownRows(folderIn(stopped), table));
    expect(stream(table).columns).toEqual(file(table).columns);
  });

  test('with the values that we read', async () => {
    const reader = await TableReader.open(folderIn(finished), 'gradients');
    const columns = await readColumns(reader, ['norm2', 'group', 'tensor']);
    await reader.close();
    const records = file('gradients').toRecords();
    const norm2 = columns.column('norm2', 'float64').values;
    const group = columns.column('group', 'dictionary');
    records.forEach((row, i) => {
      expect(row['norm2']).toBe(norm2[i]);
      expect(row['group']).toBe(group.values[group.indices[i]!]);
    });
  });
});

test('the vectors of the groups add up to that of the minibatch, its norm is the one of the table', () => {
  const rows = file('vectors').toRecords();
  const norms = new Map(
    file('gradients')
      .toRecords()
      .map((row) => [[row['step'], row['group'], row['tensor']].join(' '), Number(row['norm2'])]),
  );
  const sums = new Map<string, { groups: number[]; whole: number[] }>();
  for (const row of rows) {
    const key = [row['step'], row['tensor'], row['offset']].join(' ');
    const values = Array.from(row['values'] as Iterable<number>);
    const own = sums.get(key) ?? { groups: values.map(() => 0), whole: [] };
    if (row['group'] === 'minibatch') {
      own.whole = values;
      const norm2 = values.reduce((sum, value) => sum + value * value, 0);
      const logged = norms.get([row['step'], 'minibatch', row['tensor']].join(' '))!;
      expect(Math.abs(norm2 - logged)).toBeLessThanOrEqual(1e-4 * logged + 1e-12);
    } else values.forEach((value, i) => (own.groups[i]! += value));
    sums.set(key, own);
  }
  expect(sums.size).toBeGreaterThan(20);
  for (const { groups, whole } of sums.values()) {
    const scale = Math.sqrt(whole.reduce((sum, value) => sum + value * value, 0));
    whole.forEach((value, i) =>
      expect(Math.abs(groups[i]! - value)).toBeLessThanOrEqual(1e-4 * scale + 1e-9),
    );
  }
});

test('a stream cut within a batch: its whole batches come back through recover', async () => {
  const folder = path.join(temporaryFolder(), 'cut');
  fs.cpSync(folderIn(stopped), folder, { recursive: true });
  const cut = path.join(folder, 'metrics.arrows');
  const rows = await ownRows(folder, 'metrics');
  fs.truncateSync(cut, fs.statSync(cut).size - 100);
  const recovered = await recoverRun(folder);
  expect(recovered.every(({ error }) => error === null)).toBe(true);
  const frame = polars.readIPC(fs.readFileSync(path.join(folder, 'metrics.arrow')));
  expect(frame.shape.height).toBeGreaterThan(0);
  expect(frame.shape.height).toBeLessThan(rows);
  expect(frame.shape.height).toBe(recovered.find(({ table }) => table === 'metrics')!.rows);
});
