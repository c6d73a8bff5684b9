import fs from 'node:fs';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../data/errors.js';
import { nodeFileSystem } from '../../src/store/file-system.js';
import { finalizeTable } from '../../src/store/finalize.js';
import { tables } from '../../src/store/tables/registry.js';
import { TableReader } from '../../src/store/table-reader.js';
import { readTypedBatch } from '../../src/store/typed-table.js';
import { TableWriter } from '../../src/store/table-writer.js';
import {
  dimensions,
  fillGradients,
  firstLine,
  gradientsWriter,
  range,
  rowsOf,
  startChild,
  temporaryFolder,
} from './support.js';

function writeBatches(folder: string, sizes: readonly number[]): void {
  const writer = gradientsWriter(folder);
  for (const size of sizes) {
    fillGradients(writer, range(writer.rowsWritten, size));
    writer.flush();
  }
  writer.close();
}

async function batchesOf(folder: string): Promise<number[]> {
  const reader = await TableReader.open(folder, 'gradients');
  await reader.close();
  return reader.batches.map((batch) => batch.rows);
}

describe('finalizeTable', () => {
  it('ends batches where the rows say, not where those of the stream end', async () => {
    const folder = temporaryFolder();
    writeBatches(folder, [3, 4, 30, 5, 1, 9, 8, 9, 9, 2]);
    expect(await finalizeTable(folder, 'gradients', { batchRows: 40 })).toEqual({
      table: 'gradients',
      path: `${folder}/gradients.arrow`,
      rows: 80,
      batches: 2,
    });
    expect(await batchesOf(folder)).toEqual([40, 40]);
    expect((await rowsOf(folder, 'gradients')).map((row) => row['step'])).toEqual(range(0, 80));
    expect(fs.readdirSync(folder)).toEqual(['gradients.arrow']);
  });

  it.each([
    { limits: { batchRows: 40 }, streams: [[80], [3, 4, 30, 5, 1, 9, 8, 9, 9, 2]] },
    {
      limits: { batchRows: 7 },
      streams: [
        [30, 50],
        [29, 1, 1, 49],
      ],
    },
    { limits: { batchBytes: 1000 }, streams: [[80], [1, 78, 1]] },
  ])('a file has the same bytes whatever the batches of its stream: $limits, $streams', async (input) => {
    const files = await Promise.all(
      input.streams.map(async (sizes) => {
        const folder = temporaryFolder();
        writeBatches(folder, sizes);
        const { path, batches } = await finalizeTable(folder, 'gradients', input.limits);
        expect(batches).toBeGreaterThan(1);
        return fs.readFileSync(path);
      }),
    );
    expect(files[0]!.equals(files[1]!)).toBe(true);
  });

  it('bounds batches by bytes too', async () => {
    const folder = temporaryFolder();
    const writer = TableWriter.create({ folder, table: tables.vectors, dimensions, batchRows: 1 });
    for (const step of range(0, 12)) {
      const row = writer.reserve(1);
      for (const name of ['stage', 'group', 'tensor', 'chunk', 'offset'] as const)
        writer.column(name)[row] = 0;
      writer.column('step')[row] = step;
      writer.column('values').extend(1000).fill(step);
    }
    writer.close();
    await finalizeTable(folder, 'vectors', { batchBytes: 20_000 });
    const reader = await TableReader.open(folder, 'vectors');
    expect(reader.batches.map((batch) => batch.rows)).toEqual([5, 5, 2]);
    const { columns } = await readTypedBatch(reader, tables.vectors, 1, ['values']);
    const { values, offsets } = columns.values;
    expect([...offsets]).toEqual(range(0, 6).map((i) => 1000 * i));
    expect([values[0], values[4999]]).toEqual([5, 9]);
    await reader.close();
  });

  it('can be called again', async () => {
    const folder = temporaryFolder();
    writeBatches(folder, [5, 5]);
    const once = await finalizeTable(folder, 'gradients');
    const bytes = fs.readFileSync(once.path);
    expect(await finalizeTable(folder, 'gradients')).toEqual(once);
    expect(fs.readFileSync(once.path).equals(bytes)).toBe(true);
  });

  it('goes on after a crash before the rename, and after one before the stream was removed', async () => {
    const folder = temporaryFolder();
    writeBatches(folder, [5, 5]);
    fs.writeFileSync(`${folder}/gradients.arrow.tmp`, 'half a file');
    const noRemoval = {
      ...nodeFileSystem,
      remove(path: string) {
        throw Object.assign(new Error(`EACCES: ${path}`), { code: 'EACCES' });
      },
    };
    await expect(finalizeTable(folder, 'gradients', { fs: noRemoval })).rejects.toThrow(
      /gradients\.arrows: cannot be removed \(EACCES/,
    );
    fs.rmSync(`${folder}/gradients.arrow.tmp`);
    expect(fs.readdirSync(folder)).toEqual(['gradients.arrow', 'gradients.arrows']);
    expect(await rowsOf(folder, 'gradients')).toHaveLength(10);
    await finalizeTable(folder, 'gradients');
    expect(fs.readdirSync(folder)).toEqual(['gradients.arrow']);
  });

  it('leaves the stream when the file cannot be named', async () => {
    const folder = temporaryFolder();
    writeBatches(folder, [5]);
    const noRename = {
      ...nodeFileSystem,
      rename() {
        throw Object.assign(new Error('EXDEV: no'), { code: 'EXDEV' });
      },
    };
    await expect(finalizeTable(folder, 'gradients', { fs: noRename })).rejects.toThrow(
      /gradients\.arrow: cannot be given its name \(EXDEV/,
    );
    expect(fs.existsSync(`${folder}/gradients.arrows`)).toBe(true);
    expect(fs.existsSync(`${folder}/gradients.arrow`)).toBe(false);
  });

  it('takes a file that is there for the finished table only with the rows of the stream', async () => {
    const folder = temporaryFolder();
    writeBatches(folder, [5]);
    await finalizeTable(folder, 'gradients');
    const other = temporaryFolder();
    writeBatches(other, [5, 5]);
    const path = `${folder}/gradients.arrows`;
    fs.renameSync(`${other}/gradients.arrows`, path);
    expect(await finalizeTable(folder, 'gradients')).toMatchObject({ rows: 10 });
    expect(fs.readdirSync(folder)).toEqual(['gradients.arrow']);

    writeBatches(other, [3]);
    fs.renameSync(`${other}/gradients.arrows`, path);
    expect(await finalizeTable(folder, 'gradients')).toMatchObject({ rows: 10 });
    expect(fs.readdirSync(folder).sort()).toEqual(['gradients.arrow', 'gradients.arrows.bak']);

    writeBatches(other, [7]);
    fs.renameSync(`${other}/gradients.arrows`, path);
    fs.writeFileSync(`${folder}/gradients.arrow`, 'no table');
    expect(await finalizeTable(folder, 'gradients')).toMatchObject({ rows: 7 });
  });

  it('refuses a table that has not the rows it was given', async () => {
    const folder = temporaryFolder();
    writeBatches(folder, [5, 5]);
    await expect(finalizeTable(folder, 'gradients', { rows: 11 })).rejects.toThrow(
      /gradients\.arrows: holds 10 rows, but 11 were written: the file was changed or replaced while the run went/,
    );
    expect(await finalizeTable(folder, 'gradients', { rows: 10 })).toMatchObject({ rows: 10 });
    await expect(finalizeTable(folder, 'gradients', { rows: 12 })).rejects.toThrow(
      /gradients\.arrow: holds 10 rows/,
    );
    expect(fs.readdirSync(folder)).toEqual(['gradients.arrow']);
  });

  it('refuses a stream with a damaged batch, and leaves it', async () => {
    const folder = temporaryFolder();
    writeBatches(folder, [5, 5]);
    const path = `${folder}/gradients.arrows`;
    const bytes = fs.readFileSync(path);
    bytes.writeUInt8(bytes.readUInt8(bytes.length - 70) ^ 1, bytes.length - 70);
    fs.writeFileSync(path, bytes);
    await expect(finalizeTable(folder, 'gradients')).rejects.toThrow(
      /gradients\.arrows: damaged, .*checksum/,
    );
    expect(fs.readdirSync(folder)).toEqual(['gradients.arrows']);
  });

  it('refuses a stream that is cut', async () => {
    const folder = temporaryFolder();
    writeBatches(folder, [5, 5]);
    const path = `${folder}/gradients.arrows`;
    fs.truncateSync(path, fs.statSync(path).size - 1);
    await expect(finalizeTable(folder, 'gradients')).rejects.toThrow(
      /gradients\.arrows: cut at byte \d+ \(\d+ of the \d+ bytes of a message's body\); `gradscope recover .*` keeps its complete rows/,
    );
    fs.truncateSync(path, 8 + fs.readFileSync(path).readInt32LE(4));
    await expect(finalizeTable(folder, 'gradients')).rejects.toThrow(/a dictionary is missing/);
    await expect(finalizeTable(folder, 'gram')).rejects.toThrow(UserError);
    expect(fs.readdirSync(folder)).toEqual(['gradients.arrows']);
  });

  it('makes a file whose footer cannot lose its checksum unseen', async () => {
    const folder = temporaryFolder();
    writeBatches(folder, [5]);
    const { path } = await finalizeTable(folder, 'gradients');
    const bytes = fs.readFileSync(path);
    // The last of the checksums' marks is the footer's; with it goes the checksum that covers the schema.
    bytes.fill(255, bytes.lastIndexOf('gs-crc32'), bytes.lastIndexOf('gs-crc32') + 8);
    fs.writeFileSync(path, bytes);
    await expect(TableReader.open(folder, 'gradients')).rejects.toThrow(/a footer without its checksum/);
  });

  it('takes no more memory for a larger table', async () => {
    const peakOf = async (megabytes: number): Promise<number> => {
      const child = startChild('finalizer', temporaryFolder(), String(megabytes));
      const { rows, peak } = JSON.parse(await firstLine(child)) as { rows: number; peak: number };
      expect(rows).toBeGreaterThan(megabytes * 10_000);
      return peak;
    };
    const small = await peakOf(30);
    expect((await peakOf(120)) - small).toBeLessThan(50);
  });
});
