import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { finalizeTable } from '../../src/store/finalize.js';
import { tables } from '../../src/store/tables/registry.js';
import { TableReader } from '../../src/store/table-reader.js';
import { readTyped } from '../../src/store/typed-table.js';
import { TableWriter } from '../../src/store/table-writer.js';
import { recoverRun } from '../../src/store/recover.js';
import { polars } from './polars.js';
import {
  dimensions,
  everyKind,
  fill,
  fillGradients,
  gradientsWriter,
  plainRows,
  pythonWithArrow,
  range,
  rowsOf,
  temporaryFolder,
} from './support.js';
import type { Row } from './support.js';

function sampleRows(count: number): Row[] {
  return range(0, count).map((i) => ({
    i32: i,
    i32_null: i % 3 === 0 ? null : -i,
    f64: i / 8,
    f64_null: i % 2 === 0 ? null : i / 4,
    f32: i / 2,
    f32_null: i % 5 === 0 ? null : i / 16,
    flag: i % 3 === 1,
    text: 'ü'.repeat(i % 4),
    word: ['zero', 'one', 'zwei', '三'][i % 4] ?? '',
    triple: [i, i + 0.25, i + 0.5],
    f32s: range(0, i % 5).map((j) => j / 2),
    i32s: range(-i, i % 3),
    f64s: range(0, i % 2).map((j) => j / 8),
  }));
}

const count = 23;

function writeSample(folder: string): void {
  const writer = TableWriter.create({ folder, table: everyKind, dimensions, metadata: { seeds: '[7]' } });
  for (const rows of [sampleRows(count).slice(0, 10), sampleRows(count).slice(10)]) {
    fill(writer, rows);
    writer.flush();
  }
  writer.close();
}

describe('polars', () => {
  it('reads every kind of column from a stream and from a file', async () => {
    const folder = temporaryFolder();
    writeSample(folder);
    const stream = polars.readIPCStream(fs.readFileSync(`${folder}/every_kind.arrows`));
    await finalizeTable(folder, 'every_kind');
    const file = polars.readIPC(fs.readFileSync(`${folder}/every_kind.arrow`));
    for (const frame of [stream, file]) {
      expect(frame.shape).toEqual({ height: count, width: 13 });
      expect(frame.toRecords()).toEqual(sampleRows(count));
    }
  });

  it.each(Object.values(tables))('reads $name without rows', async (table) => {
    const folder = temporaryFolder();
    const writer = TableWriter.create({ folder, table, dimensions });
    const stream = polars.readIPCStream(fs.readFileSync(writer.path));
    writer.close();
    await finalizeTable(folder, table.name);
    const file = polars.readIPC(fs.readFileSync(`${folder}/${table.name}.arrow`));
    expect([stream.shape.height, file.shape.height]).toEqual([0, 0]);
    expect(file.columns).toEqual(stream.columns);
  });

  it('reads a stream that was cut anywhere, once it is recovered', async () => {
    const whole = temporaryFolder();
    const writer = gradientsWriter(whole);
    const header = writer.byteOffset;
    const ends = [header];
    for (let i = 0; i < 6; i++) {
      fillGradients(writer, range(30 * i, 30));
      writer.flush();
      ends.push(writer.byteOffset);
    }
    writer.close();
    const bytes = fs.readFileSync(writer.path);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: header, max: bytes.length }), async (cut) => {
        const folder = temporaryFolder();
        fs.writeFileSync(`${folder}/gradients.arrows`, bytes.subarray(0, cut));
        const rows = 30 * (ends.filter((end) => end <= cut).length - 1);
        expect(await recoverRun(folder)).toMatchObject([{ table: 'gradients', rows, error: null }]);
        const frame = polars.readIPC(fs.readFileSync(`${folder}/gradients.arrow`));
        expect(frame.toRecords().map((row) => row['step'])).toEqual(range(0, rows));
      }),
      { numRuns: 40 },
    );
  });
});

describe('pyarrow', () => {
  const found = pythonWithArrow();
  if ('reason' in found) console.log(`skipped: the checks with pyarrow, ${found.reason}`);

  it.skipIf('reason' in found)(
    'validates a stream and a file of every kind of column, and the metadata',
    async () => {
      const folder = temporaryFolder();
      writeSample(folder);
      const [stream, file] = [`${folder}/stream`, `${folder}/every_kind.arrow`];
      fs.copyFileSync(`${folder}/every_kind.arrows`, stream);
      await finalizeTable(folder, 'every_kind');
      const script = `
import json, sys
import pyarrow as pa, pyarrow.ipc as ipc
stream = ipc.open_stream(sys.argv[1]).read_all()
file = ipc.open_file(pa.memory_map(sys.argv[2])).read_all()
for table in (stream, file):
    table.validate(full=True)
# A file is a stream between magic and footer, so it can be read as one from byte 8 on.
assert ipc.open_stream(open(sys.argv[2], 'rb').read()[8:]).read_all().equals(file)
assert stream.equals(file)
assert not stream.schema.field('f32s').type.value_field.nullable
print(json.dumps({
    'rows': file.to_pylist(),
    'metadata': {k.decode(): v.decode() for k, v in file.schema.metadata.items()},
    'description': file.schema.field('i32').metadata[b'description'].decode(),
}))`;
      const { stdout, stderr, status } = spawnSync(
        'python' in found ? found.python : '',
        ['-c', script, stream, file],
        {
          encoding: 'utf8',
        },
      );
      expect(stderr).toBe('');
      expect(status).toBe(0);
      expect(JSON.parse(stdout)).toMatchObject({
        rows: sampleRows(count),
        metadata: { 'gradscope.table': 'every_kind', 'gradscope.format_version': '1', seeds: '[7]' },
        description: 'int32',
      });
    },
  );
});

describe('tables that pyarrow wrote (test/fixtures/store/make_tables.py)', () => {
  const fixtures = 'test/fixtures/store';

  it.each(['stream', 'file'])('are read: %s', async (name) => {
    expect(await rowsOf(fixtures, name)).toEqual(
      range(0, 8).map((i) => ({
        i32: i * 1000,
        i32_null: i % 3 === 0 ? null : -i,
        f64: i / 8,
        f64_null: i % 2 === 1 ? null : i / 4,
        f32: i / 2,
        flag: i % 3 === 1,
        flag_null: i === 2 ? null : i % 2 === 0,
        text: 'ü'.repeat(i),
        text_null: i === 4 ? null : `row ${i}`,
        word: ['a', 'b', '漢'][i % 3],
        triple: [i, i + 0.25, i + 0.5],
        f32s: range(0, i).map((j) => j / 2),
        i32s: range(-i, i),
        f64s: range(0, i % 2).map((j) => j / 3),
      })),
    );
  });

  it('come with metadata and batches', async () => {
    const reader = await TableReader.open(fixtures, 'file');
    expect(reader.metadata.get('seeds')).toBe('[7]');
    expect(reader.columns[0]).toMatchObject({ name: 'i32', unit: 'step', description: 'int32' });
    expect(reader.batches.map(({ rows, firstRow }) => ({ rows, firstRow }))).toEqual([
      { rows: 5, firstRow: 0 },
      { rows: 3, firstRow: 5 },
    ]);
    expect(plainRows(await reader.readBatch(1, ['text']))).toEqual(
      range(5, 3).map((i) => ({ text: 'ü'.repeat(i) })),
    );
    await reader.close();
  });

  it.each([
    [
      'newer',
      /newer\.arrow: format version 2 is newer than 1, the newest that this gradscope reads; update gradscope/,
    ],
    ['foreign', /foreign\.arrow: an Arrow file, but no table of gradscope/],
    ['int64', /int64\.arrow: has no column of a type that is read: step \(Int64\)/],
  ])('are refused by name: %s', async (name, message) => {
    await expect(TableReader.open(fixtures, name)).rejects.toThrow(message);
  });

  it('are refused when they are compressed', async () => {
    await expect(TableReader.open(fixtures, 'compressed')).rejects.toThrow(
      /compressed\.arrow: compressed; write it again without compression$/,
    );
  });

  it.each(['file', 'stream'] as const)('are refused in the format before Arrow 0.15: %s', async (format) => {
    await expect(TableReader.open(fixtures, 'old', format)).rejects.toThrow(
      /old\.arrows?: in the format of Arrow before 0\.15; write it again with a newer one$/,
    );
  });

  it('are read with texts and dictionaries of every width, between columns that are passed over', async () => {
    const words = ['漢', 'a', 'b', '漢'];
    const names = ['int8', 'uint8', 'int16', 'uint16', 'uint32', 'int64'].map((type) => `word_${type}`);
    expect(await rowsOf(fixtures, 'variants')).toEqual(
      range(0, 4).map((i) => ({
        step: i + 1,
        long_text: ['', 'ü', 'xyz', '漢'][i],
        ...Object.fromEntries(names.map((name) => [name, words[i]])),
        norm2: i + 0.5,
      })),
    );
    const reader = await TableReader.open(fixtures, 'variants');
    const { columns } = await readTyped(reader, tables.gradients, ['norm2']);
    expect([...columns.norm2]).toEqual([0.5, 1.5, 2.5, 3.5]);
    await expect(reader.readBatch(0, ['time'])).rejects.toThrow(
      /variants\.arrow: column time is a Timestamp, which is not read$/,
    );
    await reader.close();
  });
});
