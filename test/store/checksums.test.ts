import fs from 'node:fs';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../data/errors.js';
import { checksumsIn, withChecksums } from '../../src/store/checksums.js';
import { finalizeTable } from '../../src/store/finalize.js';
import { readColumns } from '../../src/store/read-columns.js';
import { recoverRun } from '../../src/store/recover.js';
import { TableReader } from '../../src/store/table-reader.js';
import { TableWriter } from '../../src/store/table-writer.js';
import {
  dimensions,
  everyKind,
  fill,
  plainRows,
  range,
  rowsOf,
  temporaryFolder,
  writeGram,
} from './support.js';
import type { Row } from './support.js';

const rows: Row[] = range(0, 12).map((i) => ({
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

async function samples(): Promise<{ stream: Buffer; file: Buffer }> {
  const folder = temporaryFolder();
  const writer = TableWriter.create({ folder, table: everyKind, dimensions });
  for (const part of [rows.slice(0, 7), rows.slice(7)]) {
    fill(writer, part);
    writer.flush();
  }
  writer.close();
  const stream = fs.readFileSync(writer.path);
  await finalizeTable(folder, 'every_kind', { batchRows: 5 });
  return { stream, file: fs.readFileSync(`${folder}/every_kind.arrow`) };
}

/** Rows of a table with these bytes; what it throws, and what it says is cut, count as found. */
async function outcome(extension: string, bytes: Uint8Array): Promise<unknown> {
  const folder = temporaryFolder();
  fs.writeFileSync(`${folder}/every_kind.${extension}`, bytes);
  try {
    const reader = await TableReader.open(folder, 'every_kind');
    try {
      if (reader.truncated !== null) return 'cut';
      const found: unknown[] = [];
      for (const i of reader.batches.keys()) found.push(...plainRows(await reader.readBatch(i)));
      return { found, metadata: [...reader.metadata], columns: reader.columns };
    } finally {
      await reader.close();
    }
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    return 'refused';
  }
}

describe('checksums', () => {
  it('stand behind the metadata and are found there again', () => {
    for (const length of [0, 1, 7, 8, 20]) {
      for (const columns of [[], [1], [0, 2 ** 32 - 1], [5, 6, 7]]) {
        const bytes = withChecksums(Uint8Array.from(range(0, length)), columns);
        expect(bytes.byteLength % 8).toBe(0);
        expect([...(checksumsIn(bytes) ?? [])]).toEqual(columns);
        for (const at of range(0, bytes.byteLength - 16)) {
          const changed = bytes.slice();
          changed[at] = (changed[at] ?? 0) ^ 4;
          expect(() => checksumsIn(changed)).toThrow(RangeError);
        }
      }
    }
    expect(checksumsIn(new Uint8Array(64))).toBeNull();
    expect(checksumsIn(new Uint8Array(3))).toBeNull();
  });

  it('find every changed bit that would change a row, in files and in streams', async () => {
    const { stream, file } = await samples();
    for (const [extension, bytes] of [
      ['arrows', stream],
      ['arrow', file],
    ] as const) {
      const whole = await outcome(extension, bytes);
      expect(whole).toMatchObject({ found: rows });
      let found = 0;
      for (let at = 3; at < bytes.length; at += 11) {
        const changed = Buffer.from(bytes);
        changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8));
        const now = await outcome(extension, changed);
        if (typeof now === 'string') found++;
        else expect(now, `byte ${at} of ${extension}`).toEqual(whole);
      }
      expect(found).toBeGreaterThan(bytes.length / 11 / 2);
    }
  });

  it('find pieces that were zeroed, whatever they cover', async () => {
    const { file } = await samples();
    const whole = await outcome('arrow', file);
    expect(whole).toMatchObject({ found: rows });
    for (let at = 0; at + 128 < file.length; at += 96) {
      const changed = Buffer.from(file).fill(0, at, at + 128);
      const now = await outcome('arrow', changed);
      if (typeof now !== 'string') expect(now, `byte ${at}`).toEqual(whole);
    }
  });

  it('are checked of the columns that are read, of a large batch too', async () => {
    const folder = temporaryFolder();
    const { path } = writeGram(folder, range(0, 40_000), 50_000);
    const bytes = fs.readFileSync(path);
    const at = bytes.indexOf(Buffer.from(Float64Array.from([1000 / 8, 1001 / 8]).buffer));
    bytes.writeDoubleLE(3, at);
    fs.writeFileSync(path, bytes);
    const reader = await TableReader.open(folder, 'gram');
    expect((await readColumns(reader, ['step'])).rows).toBe(40_000);
    await expect(readColumns(reader, ['step', 'inner'])).rejects.toThrow(
      /gram\.arrows: damaged, .*the checksum of column inner does not fit its bytes/,
    );
    await reader.close();
  });
});

/** The same bytes as a version without checksums would have written, but for the place they take. */
function withoutChecksums(bytes: Buffer): Buffer {
  const old = Buffer.from(bytes);
  for (let at = old.indexOf('gs-crc32'); at >= 0; at = old.indexOf('gs-crc32')) old.fill(0, at, at + 8);
  return old;
}

describe('tables without checksums, of earlier versions', () => {
  it('are read, finalized and recovered as before', async () => {
    const { stream, file } = await samples();
    for (const [extension, bytes] of [
      ['arrows', stream],
      ['arrow', file],
    ] as const) {
      expect(await outcome(extension, withoutChecksums(bytes))).toMatchObject({ found: rows });
    }
    for (const finish of [(folder: string) => finalizeTable(folder, 'every_kind'), recoverRun]) {
      const folder = temporaryFolder();
      fs.writeFileSync(`${folder}/every_kind.arrows`, withoutChecksums(stream));
      await finish(folder);
      expect(await rowsOf(folder, 'every_kind')).toEqual(rows);
    }
  });

  /** A stream whose last batch claims other rows, everywhere in its metadata. */
  function spoiled(claimed: bigint): string {
    const folder = temporaryFolder();
    const { path } = writeGram(folder, range(0, 20));
    const bytes = withoutChecksums(fs.readFileSync(path));
    const at = bytes.indexOf(Buffer.from(Int32Array.from(range(10, 10)).buffer));
    const begin = bytes.lastIndexOf(Buffer.from([255, 255, 255, 255]), at - 60);
    for (let i = begin + 8; i < at - 60; i += 4) {
      if (bytes.readBigInt64LE(i) === 10n) bytes.writeBigInt64LE(claimed, i);
    }
    fs.writeFileSync(path, bytes);
    return folder;
  }

  it.each([2n ** 40n, 2n ** 31n, 100_000n, 2n ** 52n])(
    'allocate nothing for a row count of %s',
    async (claimed) => {
      const folder = spoiled(claimed);
      const reader = await TableReader.open(folder, 'gram');
      expect(reader.rows).toBe(10);
      expect(reader.truncated?.reason).toMatch(new RegExp(`a batch of ${claimed} rows in \\d+ bytes`));
      expect((await readColumns(reader, ['inner'])).rows).toBe(10);
      await reader.close();
      expect(await recoverRun(folder)).toMatchObject([
        { rows: 10, backup: `${folder}/gram.arrows.bak`, reason: expect.stringContaining('rows in') },
      ]);
    },
  );

  it('with a row count that the bytes could hold are refused where it does not fit the columns', async () => {
    const folder = spoiled(11n);
    const reader = await TableReader.open(folder, 'gram');
    await expect(readColumns(reader, ['inner'])).rejects.toThrow(/gram\.arrows: damaged/);
    await reader.close();
  });

  it('with an index outside its dictionary are refused with file, column and row', async () => {
    const folder = temporaryFolder();
    const { path } = writeGram(folder, range(0, 20));
    const bytes = withoutChecksums(fs.readFileSync(path));
    const at = bytes.indexOf(Buffer.from(Int32Array.from(range(10, 10)).buffer));
    for (const [index, said] of [
      [77, 77],
      [-1, -1],
      [2, 2],
    ] as const) {
      bytes.writeInt32LE(index, at - 40);
      fs.writeFileSync(path, bytes);
      const reader = await TableReader.open(folder, 'gram');
      await expect(reader.readBatch(1)).rejects.toThrow(
        new RegExp(
          `^${path}: damaged, .*column stage, row \\d+: index ${said} of a dictionary of 2 values\\)$`,
        ),
      );
      expect((await reader.readBatch(0)).rows).toBe(10);
      await reader.close();
    }
  });
});

describe('the name of a table', () => {
  it('is that of its file', async () => {
    const folder = temporaryFolder();
    const { path } = writeGram(folder, [1]);
    fs.renameSync(path, `${folder}/gradients.arrows`);
    await expect(TableReader.open(folder, 'gradients')).rejects.toThrow(
      `${folder}/gradients.arrows: holds the table gram; was it renamed, or written over?`,
    );
  });
});
