import fs from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../data/errors.js';
import { encodeRecordBatch } from '../../src/store/arrow-types.js';
import { finalizeTable } from '../../src/store/finalize.js';
import { checksumOf, withChecksums } from '../../src/store/checksums.js';
import { readColumns } from '../../src/store/read-columns.js';
import { int32 } from '../../src/store/columns.js';
import { tables } from '../../src/store/tables/registry.js';
import { listTables, TableReader } from '../../src/store/table-reader.js';
import { readTyped, readTypedBatch, typedTable } from '../../src/store/typed-table.js';
import { TableWriter } from '../../src/store/table-writer.js';
import { dimensions, fillGradients, gradientsWriter, plainRows, range, temporaryFolder } from './support.js';

async function opened<T>(folder: string, use: (reader: TableReader) => T | Promise<T>): Promise<T> {
  const reader = await TableReader.open(folder, 'gradients');
  try {
    return await use(reader);
  } finally {
    await reader.close();
  }
}

/** A stream of batches of 3 rows, and the offsets behind its header and behind each batch. */
function threeBatches(): { bytes: Buffer; ends: number[] } {
  const writer = gradientsWriter(temporaryFolder());
  const ends = [writer.byteOffset];
  for (let i = 0; i < 3; i++) {
    fillGradients(writer, range(3 * i, 3));
    writer.flush();
    ends.push(writer.byteOffset);
  }
  writer.close();
  return { bytes: fs.readFileSync(writer.path), ends };
}

describe('a stream that is cut', () => {
  it('keeps every complete batch, wherever it is cut', async () => {
    const { bytes, ends } = threeBatches();
    const [header = 0] = ends;
    const folder = temporaryFolder();
    const path = `${folder}/gradients.arrows`;
    for (let cut = header; cut <= bytes.length; cut++) {
      fs.writeFileSync(path, bytes.subarray(0, cut));
      const end = ends.findLast((position) => position <= cut) ?? 0;
      await opened(folder, async (reader) => {
        expect(reader.rows).toBe(3 * ends.indexOf(end));
        const { columns } = await readTyped(reader, tables.gradients, ['step']);
        expect([...columns.step]).toEqual(range(0, reader.rows));
        if (cut === end) expect(reader.truncated).toBeNull();
        else expect(reader.truncated).toMatchObject({ atByte: end });
      });
    }
  });

  it('says how much of a message is there', async () => {
    const { bytes, ends } = threeBatches();
    const [, first = 0, second = 0] = ends;
    const folder = temporaryFolder();
    const reasonAt = async (cut: number) => {
      fs.writeFileSync(`${folder}/gradients.arrows`, bytes.subarray(0, cut));
      return opened(folder, (reader) => reader.truncated?.reason);
    };
    expect(await reasonAt(first + 5)).toBe('5 of the 8 bytes that begin a message');
    expect(await reasonAt(first + 20)).toMatch(/^12 of the \d+ bytes of a message's metadata$/);
    expect(await reasonAt(second - 1)).toMatch(/^(\d+) of the \d+ bytes of a message's body$/);
  });

  it('is a table without rows when the dictionaries are cut, and none when the schema is', async () => {
    const { bytes, ends } = threeBatches();
    const folder = temporaryFolder();
    const path = `${folder}/gradients.arrows`;
    const schemaLength = 8 + bytes.readInt32LE(4);
    for (let cut = 0; cut < (ends[0] ?? 0); cut += 8) {
      fs.writeFileSync(path, bytes.subarray(0, cut));
      if (cut < schemaLength) {
        await expect(TableReader.open(folder, 'gradients')).rejects.toThrow(
          /gradients\.arrows: not a table, or cut within its schema/,
        );
      } else {
        expect(await opened(folder, (reader) => reader.rows)).toBe(0);
      }
    }
  });

  it('is read up to bytes that are no message', async () => {
    const { bytes, ends } = threeBatches();
    const folder = temporaryFolder();
    const [, , second = 0] = ends;
    const zeros = Buffer.concat([bytes.subarray(0, second), Buffer.alloc(4096)]);
    fs.writeFileSync(`${folder}/gradients.arrows`, zeros);
    await opened(folder, (reader) => {
      expect(reader.rows).toBe(6);
      expect(reader.truncated).toEqual({ atByte: second, reason: 'not an Arrow message' });
    });
  });
});

describe('a damaged table', () => {
  it('gives its complete rows or a UserError, never anything else', async () => {
    const { bytes } = threeBatches();
    const whole = temporaryFolder();
    fs.writeFileSync(`${whole}/gradients.arrows`, bytes);
    await finalizeTable(whole, 'gradients');
    const file = fs.readFileSync(`${whole}/gradients.arrow`);
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('gradients.arrow', 'gradients.arrows'),
        fc.array(fc.record({ at: fc.nat(5000), value: fc.nat(255) }), { minLength: 1, maxLength: 8 }),
        async (name, changes) => {
          const folder = temporaryFolder();
          const damaged = Buffer.from(name === 'gradients.arrow' ? file : bytes);
          for (const { at, value } of changes) damaged[at % damaged.length] = value;
          fs.writeFileSync(`${folder}/${name}`, damaged);
          try {
            await opened(folder, async (reader) => {
              for (const i of reader.batches.keys()) plainRows(await reader.readBatch(i));
            });
          } catch (error) {
            expect(error).toBeInstanceOf(UserError);
            expect((error as Error).message).toContain(folder);
          }
        },
      ),
      { numRuns: 400 },
    );
  });

  it.each([
    ['an empty file', ''],
    ['a text', 'step,norm2\n1,2\n'.repeat(10)],
    ['a file cut off', 'ARROW1\0\0 and nothing that would close it'],
    ['a footer that cannot be', `ARROW1\0\0${'x'.repeat(40)}\xff\xff\xff\x7fARROW1`],
  ])('is named: %s', async (_, content) => {
    for (const name of ['gradients.arrow', 'gradients.arrows']) {
      const folder = temporaryFolder();
      fs.writeFileSync(`${folder}/${name}`, content, 'latin1');
      const error: unknown = await TableReader.open(folder, 'gradients').catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(UserError);
      expect(String(error)).toContain(`${folder}/${name}: `);
    }
  });

  it('is named when there is none', async () => {
    const folder = temporaryFolder();
    await expect(TableReader.open(folder, 'gram')).rejects.toThrow(
      `${folder}: there is no table gram (neither gram.arrow nor gram.arrows)`,
    );
    fs.mkdirSync(`${folder}/gram.arrow`);
    await expect(TableReader.open(folder, 'gram')).rejects.toThrow(/gram\.arrow: cannot be opened \(EISDIR/);
    await expect(listTables(`${folder}/missing`)).rejects.toThrow(/missing: cannot be read \(ENOENT/);
  });
});

describe('columns', () => {
  it('that are missing or of another kind are named', async () => {
    const folder = temporaryFolder();
    gradientsWriter(folder).close();
    const writer = TableWriter.resume({
      folder,
      table: tables.gradients,
      dimensions,
      byteOffset: fs.statSync(`${folder}/gradients.arrows`).size,
    });
    fillGradients(writer, [1]);
    writer.close();
    await opened(folder, async (reader) => {
      await expect(reader.readBatch(1)).rejects.toThrow(/batch 1 of 1/);
      await expect(reader.readBatch(0, ['norm'])).rejects.toThrow(
        /there is no column norm among stage, step/,
      );
      await expect(readColumns(reader, ['norm'])).rejects.toThrow(UserError);
      const batch = await reader.readBatch(0);
      const other = { ...tables.gradients, columns: { norm2: int32('Another kind.') } };
      expect(() => typedTable(batch, other, ['norm2'])).toThrow(/column norm2 is float64, not int32/);
      expect(() => batch.view('norm')).toThrow(/there is no column norm among stage, step/);
    });
  });
});

describe('refresh', () => {
  it('finds what a running process wrote, also when it looks in the middle of a batch', async () => {
    const { bytes, ends } = threeBatches();
    const [header = 0, first = 0, second = 0, third = 0] = ends;
    const folder = temporaryFolder();
    const path = `${folder}/gradients.arrows`;
    const grow = (to: number) => fs.writeFileSync(path, bytes.subarray(0, to));
    grow(header);
    await opened(folder, async (reader) => {
      const look = async (to: number) => {
        // In place: a file that is written anew has another inode.
        fs.appendFileSync(path, bytes.subarray(fs.statSync(path).size, to));
        const { rows, batches, replaced } = await reader.refresh();
        return [rows, batches, replaced, reader.rows, reader.truncated?.atByte];
      };
      expect(await look(header)).toEqual([0, 0, false, 0, undefined]);
      expect(await look(first)).toEqual([3, 1, false, 3, undefined]);
      expect(await look(first + 9)).toEqual([0, 0, false, 3, first]);
      expect(await look(second - 1)).toEqual([0, 0, false, 3, first]);
      expect(await look(third)).toEqual([6, 2, false, 9, undefined]);
      expect(plainRows(await reader.readBatch(2, ['step']))).toEqual(range(6, 3).map((step) => ({ step })));
    });
  });

  it('notices that a resumed run cut the stream back', async () => {
    const { bytes, ends } = threeBatches();
    const [, first = 0] = ends;
    const folder = temporaryFolder();
    const path = `${folder}/gradients.arrows`;
    fs.writeFileSync(path, bytes);
    await opened(folder, async (reader) => {
      const writer = TableWriter.resume({ folder, table: tables.gradients, dimensions, byteOffset: first });
      expect(await reader.refresh()).toEqual({ rows: 3, batches: 1, replaced: true });
      fillGradients(writer, range(100, 200));
      writer.flush();
      expect(await reader.refresh()).toEqual({ rows: 200, batches: 1, replaced: false });
      writer.close();
    });
    fs.writeFileSync(path, bytes);
    await opened(folder, async (reader) => {
      const writer = TableWriter.resume({ folder, table: tables.gradients, dimensions, byteOffset: first });
      fillGradients(writer, range(100, 200));
      writer.close();
      expect(await reader.refresh()).toEqual({ rows: 203, batches: 2, replaced: true });
    });
  });

  it('may be called while it or a read is under way', async () => {
    const { bytes, ends } = threeBatches();
    const [, first = 0] = ends;
    const folder = temporaryFolder();
    const path = `${folder}/gradients.arrows`;
    fs.writeFileSync(path, bytes.subarray(0, first));
    await opened(folder, async (reader) => {
      fs.appendFileSync(path, bytes.subarray(first));
      const all = await Promise.all([reader.refresh(), reader.refresh(), reader.refresh()]);
      expect(all).toEqual(all.map(() => ({ rows: 6, batches: 2, replaced: false })));
      expect(reader.rows).toBe(9);
      await finalizeTable(folder, 'gradients');
      const [batch, refreshed] = await Promise.all([reader.readBatch(2), reader.refresh()]);
      expect(plainRows(batch).map((row) => row['step'])).toEqual([6, 7, 8]);
      expect(refreshed.replaced).toBe(true);
    });
  });

  it('does not count a batch twice when a later message is refused', async () => {
    const { bytes, ends } = threeBatches();
    const [header = 0] = ends;
    const folder = temporaryFolder();
    const path = `${folder}/gradients.arrows`;
    fs.writeFileSync(path, bytes.subarray(0, header));
    await opened(folder, async (reader) => {
      fs.appendFileSync(path, Buffer.concat([bytes.subarray(header), bytes.subarray(0, header)]));
      for (const _ of [1, 2]) {
        await expect(reader.refresh()).rejects.toThrow(/gradients\.arrows: a second schema at byte \d+/);
        expect(reader.rows).toBe(9);
      }
    });
  });

  it('follows the table from the stream to the file', async () => {
    const { bytes } = threeBatches();
    const folder = temporaryFolder();
    fs.writeFileSync(`${folder}/gradients.arrows`, bytes);
    await opened(folder, async (reader) => {
      expect(reader.format).toBe('stream');
      await finalizeTable(folder, 'gradients');
      expect(plainRows(await reader.readBatch(0, ['step']))).toHaveLength(3);
      expect(await reader.refresh()).toEqual({ rows: 9, batches: 1, replaced: true });
      expect(reader.format).toBe('file');
      expect(await reader.refresh()).toEqual({ rows: 0, batches: 0, replaced: false });
      expect(plainRows(await reader.readBatch(0, ['step']))).toEqual(range(0, 9).map((step) => ({ step })));
    });
    expect(await listTables(folder)).toEqual(['gradients']);
  });
});

describe('a stream of more than 4 GiB', () => {
  it('is indexed and read behind that length', async () => {
    const folder = temporaryFolder();
    const writer = TableWriter.create({ folder, table: tables.vectors, dimensions });
    const fields = ['stage', 'step', 'group', 'tensor', 'chunk', 'offset'] as const;
    const row = (step: number) => {
      const at = writer.reserve(1);
      for (const name of fields) writer.column(name)[at] = 0;
      writer.column('step')[at] = step;
      writer.column('values').push(Float32Array.of(step));
      writer.flush();
    };
    row(1);
    const before = writer.byteOffset;
    writer.close();
    // A message whose body is a hole in the file: it takes no room on the device and no time to write.
    const hole = 5 * 2 ** 30;
    const one = { length: 1, nullCount: 0 };
    const empty = { offset: 0, length: 0 };
    const large = encodeRecordBatch({
      rows: 1,
      nodes: [...fields.map(() => one), one, { length: 1, nullCount: 0 }],
      regions: [
        ...fields.flatMap(() => [empty, { offset: hole - 64, length: 4 }]),
        empty,
        { offset: hole - 48, length: 8 },
        empty,
        { offset: hole - 32, length: 4 },
      ],
      bodyLength: hole,
    });
    const zeros = (length: number): number => checksumOf(new Uint8Array(length));
    const metadata = withChecksums(large, [...fields.map(() => zeros(4)), zeros(12)]);
    const prefix = Int32Array.of(-1, metadata.byteLength);
    fs.appendFileSync(writer.path, Buffer.concat([new Uint8Array(prefix.buffer), metadata]));
    const behind = fs.statSync(writer.path).size + hole;
    fs.truncateSync(writer.path, behind);
    const resumed = TableWriter.resume({ folder, table: tables.vectors, dimensions, byteOffset: behind });
    expect(resumed.rowsWritten).toBe(2);
    const at = resumed.reserve(1);
    for (const name of fields) resumed.column(name)[at] = 0;
    resumed.column('step')[at] = 3;
    resumed.column('values').push(Float32Array.of(3));
    resumed.close();

    const reader = await TableReader.open(folder, 'vectors');
    expect(reader.batches.map(({ offset }) => offset)).toEqual([expect.any(Number), before, behind]);
    const { columns } = await readTyped(reader, tables.vectors, ['step']);
    expect([...columns.step]).toEqual([1, 0, 3]);
    const last = await readTypedBatch(reader, tables.vectors, 2, ['values']);
    expect([...last.columns.values.row(0)]).toEqual([3]);
    await reader.close();
  });
});
