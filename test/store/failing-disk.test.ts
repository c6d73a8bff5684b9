import fs from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../data/errors.js';
import { nodeFileSystem } from '../../src/store/file-system.js';
import type { FileSystem } from '../../src/store/file-system.js';
import { finalizeTable } from '../../src/store/finalize.js';
import { TableReader } from '../../src/store/table-reader.js';
import {
  failingFileSystem,
  fillGradients,
  gradientsWriter,
  range,
  rowsOf,
  temporaryFolder,
} from './support.js';

describe('a device that is full', () => {
  it('leaves the complete batches, and takes the same rows when there is room again', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 6000 }), async (extra) => {
        const folder = temporaryFolder();
        const disk = failingFileSystem(Number.POSITIVE_INFINITY);
        const writer = gradientsWriter(folder, { fs: disk });
        disk.budget = extra;
        let written = 0;
        try {
          for (; written < 10; written++) {
            fillGradients(writer, range(20 * written, 20));
            writer.flush();
          }
        } catch (error) {
          expect(error).toBeInstanceOf(UserError);
          expect((error as Error).message).toMatch(
            /^table gradients: \d+ bytes could not be written to .*gradients\.arrows \(ENOSPC: no luck, write\); the file was cut back to its \d+ complete bytes; free space on that device, then resume the run$/,
          );
        }
        expect(fs.statSync(writer.path).size).toBe(writer.byteOffset);
        const steps = async () => (await rowsOf(folder, 'gradients')).map((row) => row['step']);
        expect(await steps()).toEqual(range(0, 20 * written));
        disk.budget = Number.POSITIVE_INFINITY;
        writer.close();
        expect(await steps()).toEqual(range(0, Math.min(written + 1, 10) * 20));
      }),
      { numRuns: 50 },
    );
  });

  it('leaves no table when not even the schema fits', () => {
    const folder = temporaryFolder();
    expect(() => gradientsWriter(folder, { fs: failingFileSystem(100) })).toThrow(UserError);
    expect(fs.readdirSync(folder)).toEqual([]);
  });

  it('leaves the stream and no half file when it fills up during finalize', async () => {
    const folder = temporaryFolder();
    const writer = gradientsWriter(folder);
    fillGradients(writer, range(0, 500));
    writer.close();
    for (const budget of [0, 10, 1000, writer.byteOffset, writer.byteOffset + 20]) {
      await expect(finalizeTable(folder, 'gradients', { fs: failingFileSystem(budget) })).rejects.toThrow(
        /^table gradients: \d+ bytes could not be written to .*gradients\.arrow\.tmp-\S+ \(ENOSPC/,
      );
      expect(fs.readdirSync(folder)).toEqual(['gradients.arrows']);
    }
    expect(await finalizeTable(folder, 'gradients')).toMatchObject({ rows: 500 });
  });
});

describe('a device that fails', () => {
  it('is named, and the rest behind the last batch is ignored when the file cannot be cut', async () => {
    const folder = temporaryFolder();
    const disk = failingFileSystem(Number.POSITIVE_INFINITY, 'EIO');
    disk.truncate = () => {
      throw Object.assign(new Error('EIO: i/o error, ftruncate'), { code: 'EIO' });
    };
    const writer = gradientsWriter(folder, { fs: disk });
    fillGradients(writer, range(0, 20));
    writer.flush();
    fillGradients(writer, range(20, 20));
    disk.budget = 300;
    expect(() => writer.flush()).toThrow(
      /cutting .* failed too \(EIO.*readers ignore the rest; check that device/,
    );
    const reader = await TableReader.open(folder, 'gradients');
    expect(reader.rows).toBe(20);
    expect(reader.truncated).toMatchObject({ atByte: writer.byteOffset });
    await reader.close();
    expect(() => writer.close()).toThrow(UserError);
  });

  it('is not waited for when it takes nothing and says nothing', () => {
    const disk: FileSystem = { ...nodeFileSystem };
    const writer = gradientsWriter(temporaryFolder(), { fs: disk });
    fillGradients(writer, [1]);
    disk.write = () => 0;
    expect(() => writer.flush()).toThrow(/EIO: nothing was written/);
    disk.write = (fd, chunks, position) => nodeFileSystem.write(fd, chunks, position);
    writer.close();
  });

  it('takes a batch in pieces of any size', async () => {
    await fc.assert(
      fc.asyncProperty(fc.infiniteStream(fc.integer({ min: 1, max: 700 })), async (sizes) => {
        const folder = temporaryFolder();
        const pieces: FileSystem = {
          ...nodeFileSystem,
          write(fd, chunks, position) {
            const size: number = sizes.next().value ?? 1;
            return nodeFileSystem.write(fd, [Buffer.concat(chunks).subarray(0, size)], position);
          },
        };
        const writer = gradientsWriter(folder, { fs: pieces });
        fillGradients(writer, range(0, 50));
        writer.close();
        expect((await rowsOf(folder, 'gradients')).map((row) => row['step'])).toEqual(range(0, 50));
      }),
      { numRuns: 30 },
    );
  });

  it('does not hide a defect of the program behind a message about the device', () => {
    const disk: FileSystem = { ...nodeFileSystem };
    const writer = gradientsWriter(temporaryFolder(), { fs: disk });
    fillGradients(writer, [1]);
    disk.write = () => {
      throw new TypeError('a defect');
    };
    expect(() => writer.flush()).toThrow(TypeError);
    disk.write = (fd, chunks, position) => nodeFileSystem.write(fd, chunks, position);
    writer.close();
  });
});
