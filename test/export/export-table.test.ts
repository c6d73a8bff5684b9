import fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { exportTable, type TableExport } from '../../src/export/export-table.js';
import { parseCondition } from '../../src/export/row-filter.js';
import { RunFolder } from '../../src/store/run-folder.js';
import { TableWriter } from '../../src/store/table-writer.js';
import { polars, type Frame } from '../store/polars.js';
import {
  dimensions,
  everyKind,
  failingFileSystem,
  fill,
  newRun,
  range,
  temporaryFolder,
  writeGram,
  type Row,
} from '../store/support.js';

/** Rows with every kind of value; nulls in every third row, and texts that formats have to quote. */
function rowsOfRun(seed: number, count: number): Row[] {
  return Array.from({ length: count }, (_, i) => ({
    i32: i,
    i32_null: i % 3 === 0 ? null : -i,
    f64: seed + i / 7,
    f64_null: i % 3 === 1 ? null : i / 3,
    f32: Math.fround(i / 7),
    f32_null: i % 3 === 2 ? null : i / 4,
    flag: i % 2 === 0,
    text: ['plain', 'with, comma', 'with "quotes"', 'two\nlines', '三'][i % 5]!,
    word: ['zero', 'one', 'zwei', '三'][i % 4]!,
    triple: [i, i + 0.5, -i],
    f32s: Array.from({ length: i % 3 }, (__, j) => i + j / 2),
    i32s: Array.from({ length: i % 2 }, () => i),
    f64s: [i / 7],
  }));
}

const rowsPerRun = 50;
const written = new Map([3, 4].map((seed) => [seed, rowsOfRun(seed, rowsPerRun)]));

/** A folder with two runs that have the table of every kind, in batches of seven rows. */
function runs(): string {
  const root = temporaryFolder();
  for (const [seed, rows] of written) {
    const folder = join(root, `seed-${seed}`);
    const config = `data: { alpha: ${seed / 4} }\nstages: [{ sampler: shuffle, batchSize: 8 }]\n`;
    const run = RunFolder.create(folder, { ...newRun, name: 'tiny', seed }, config);
    const writer = TableWriter.create({ folder, table: everyKind, dimensions, batchRows: 7 });
    for (let i = 0; i < rows.length; i += 7) {
      fill(writer, rows.slice(i, i + 7));
      writer.flush();
    }
    writer.close();
    run.release();
  }
  return root;
}

function what(root: string, name: string, own: Partial<TableExport> = {}): TableExport {
  return {
    folders: [root],
    table: 'every_kind',
    out: join(root, name),
    columns: null,
    where: [],
    config: ['data.alpha', 'stages.0.sampler'],
    exchanged: false,
    command: 'gradscope export',
    ...own,
  };
}

const readers: Readonly<Record<string, (path: string) => Frame>> = {
  '.parquet': (path) => polars.readParquet(path),
  '.arrow': (path) => polars.readIPC(fs.readFileSync(path)),
  '.csv': (path) => polars.readCSV(path),
};

/** What another program has to read from the exported file. */
function expected(root: string, asText: boolean): Record<string, unknown>[] {
  return [...written].flatMap(([seed, rows]) =>
    rows.map((row) => {
      const lists = (['triple', 'f32s', 'i32s', 'f64s'] as const).map((name) => [
        name,
        asText
          ? row[name].map((value) => (name === 'f64s' ? value : Math.fround(value))).join(' ')
          : row[name],
      ]);
      return {
        run: join(root, `seed-${seed}`),
        name: 'tiny',
        seed,
        exchanged: false,
        'data.alpha': seed / 4,
        'stages.0.sampler': 'shuffle',
        ...row,
        ...Object.fromEntries(lists),
      };
    }),
  );
}

describe('export of a table of several runs', () => {
  it.each(['.parquet', '.arrow', '.csv'])(
    '%s is read by another program as what the runs wrote',
    async (ending) => {
      const root = runs();
      const { rows, runs: count, leftOut } = await exportTable(what(root, `all${ending}`));
      expect({ rows, count, leftOut }).toEqual({ rows: 2 * rowsPerRun, count: 2, leftOut: [] });
      const frame = readers[ending]!(join(root, `all${ending}`));
      const read = frame.toRecords();
      expect(read).toHaveLength(2 * rowsPerRun);
      const wanted = expected(root, ending === '.csv');
      // CSV has no types: a text reader knows a list of one number from no text.
      const names = Object.keys(wanted[0]!).filter(
        (name) => ending !== '.csv' || !['f32s', 'i32s', 'f64s'].includes(name),
      );
      for (const [i, row] of read.entries()) {
        for (const name of names) {
          const value = row[name];
          const plain =
            ArrayBuffer.isView(value) || Array.isArray(value)
              ? Array.from(value as Iterable<unknown>)
              : value;
          expect({ i, name, value: plain }).toEqual({ i, name, value: wanted[i]![name] });
        }
      }
    },
  );

  it.each(['.parquet', '.arrow', '.csv'])('%s of more rows than are written at once', async (ending) => {
    const root = temporaryFolder();
    const steps = range(0, 70_000);
    for (const seed of [0, 1]) {
      const folder = join(root, `seed-${seed}`);
      RunFolder.create(folder, { ...newRun, seed }, 'data: {}\n').release();
      writeGram(folder, steps, 4096);
    }
    const { rows } = await exportTable(
      what(root, `all${ending}`, { table: 'gram', columns: ['step', 'inner'], config: [] }),
    );
    expect(rows).toBe(140_000);
    const read = readers[ending]!(join(root, `all${ending}`)).toRecords();
    expect(
      read.every(
        ({ seed, step, inner }, row) =>
          seed === Number(row >= 70_000) && step === row % 70_000 && inner === (row % 70_000) / 8,
      ),
    ).toBe(true);
    expect(read).toHaveLength(140_000);
  });

  it('keeps the rows and columns that were asked for, across row groups', async () => {
    const root = runs();
    const conditions = ['word=zero,zwei', 'i32>=10', 'flag=true', 'f64_null!=4'].map(parseCondition);
    const result = await exportTable(
      what(root, 'some.parquet', { columns: ['i32', 'word'], where: conditions, config: [] }),
    );
    const rows = polars.readParquet(join(root, 'some.parquet')).toRecords();
    const wanted = [...written].flatMap(([seed, all]) =>
      all
        .filter(
          ({ i32, word, f64_null }) => word.startsWith('z') && i32 >= 10 && i32 % 2 === 0 && f64_null !== 4,
        )
        .map(({ i32, word }) => ({
          run: join(root, `seed-${seed}`),
          name: 'tiny',
          seed,
          exchanged: false,
          i32,
          word,
        })),
    );
    expect(rows).toEqual(wanted);
    expect(result.rows).toBe(wanted.length);
    expect(wanted.length).toBeGreaterThan(20);
  });

  it.each([
    [{ out: 'all.xlsx' }, /must end in \.parquet, \.arrow, \.csv/],
    [{ table: 'gram' }, /nothing to export: .*there is no table gram/],
    [{ columns: ['i32', 'nonsense'] }, /there is no column nonsense in table every_kind; it has i32/],
    [{ where: [parseCondition('word>3')] }, /--where word>3: the column holds texts/],
    [{ where: [parseCondition('f64=abc')] }, /--where f64=abc: the column holds numbers/],
    [{ where: [parseCondition('triple=1')] }, /holds lists/],
    [{ config: ['data.beta'] }, /--config data\.beta: no run has a value there; keys are data, stages/],
    [{ config: ['data'] }, /--config data: holds more than one value; name one of data\.alpha/],
    [{ config: ['constructor.name'] }, /no run has a value there/],
  ])('%j is refused in one line, and leaves no file', async (own, message) => {
    const root = runs();
    const out = join(root, 'out' in own ? own.out : 'all.parquet');
    await expect(exportTable(what(root, 'all.parquet', { ...own, out }))).rejects.toThrow(message);
    expect(fs.readdirSync(root).filter((name) => !name.startsWith('seed-'))).toEqual([]);
  });

  it('replaces no file, and leaves none behind where the device is full', async () => {
    const root = runs();
    fs.writeFileSync(join(root, 'there.csv'), 'mine');
    await expect(exportTable(what(root, 'there.csv'))).rejects.toThrow(/there\.csv: is there already/);
    expect(fs.readFileSync(join(root, 'there.csv'), 'utf8')).toBe('mine');
    for (const ending of ['.parquet', '.arrow', '.csv']) {
      const full = failingFileSystem(300);
      await expect(exportTable(what(root, `full${ending}`), () => {}, full)).rejects.toThrow(/no luck|full/i);
      expect(fs.readdirSync(root).filter((name) => name.startsWith('full'))).toEqual([]);
    }
  });

  it('says which runs were left out', async () => {
    const root = runs();
    RunFolder.create(join(root, 'seed-9'), { ...newRun, name: 'empty', seed: 9 }, 'data: {}\n').release();
    const { leftOut, runs: count } = await exportTable(what(root, 'all.csv'));
    expect(count).toBe(2);
    expect(leftOut).toEqual([expect.stringMatching(/seed-9: there is no table every_kind/)]);
  });
});

it.each(['tensor', 'a b=3', 'step>=many', '=3', 'step>='])('--where %s is refused', (text) => {
  expect(() => parseCondition(text)).toThrow(/--where/);
});
