import fs from 'node:fs';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../data/errors.js';
import { nodeFileSystem } from '../../src/store/file-system.js';
import { finalizeTable } from '../../src/store/finalize.js';
import { recoverRun } from '../../src/store/recover.js';
import { readRunInfo, RunFolder } from '../../src/store/run-folder.js';
import { tables } from '../../src/store/tables/registry.js';
import { TableReader } from '../../src/store/table-reader.js';
import { readTypedBatch } from '../../src/store/typed-table.js';
import { TableWriter } from '../../src/store/table-writer.js';
import { temporaryPath } from '../../src/store/temporary.js';
import {
  dimensions,
  ended,
  failingFileSystem,
  fakeEnvironment,
  fillGradients,
  firstLine,
  gradientsWriter,
  newRun,
  range,
  rowsOf,
  startChild,
  temporaryFolder,
  writeGram,
} from './support.js';

const ghost = new Map([[10, 'a']]);

/** A run folder whose process is gone, with two streams; the first is cut in its last batch. */
function crashed(): string {
  const folder = temporaryFolder();
  RunFolder.create(folder, newRun, '', fakeEnvironment(10, ghost));
  const writer = gradientsWriter(folder);
  for (const first of [0, 10]) {
    fillGradients(writer, range(first, 10));
    writer.flush();
  }
  writer.close();
  writeGram(folder, range(0, 20));
  fs.truncateSync(writer.path, writer.byteOffset - 100);
  return folder;
}

const here = () => fakeEnvironment(20, new Map([[20, 'b']]));

/** Sets the row count of the batch whose steps lie at `at` everywhere in its metadata. */
function setRows(bytes: Buffer, at: number, rows: bigint): void {
  const begin = bytes.lastIndexOf(Buffer.from([0xff, 0xff, 0xff, 0xff]), at - 60);
  for (let i = begin + 8; i < at - 60; i += 4) {
    if (bytes.readBigInt64LE(i) === 10n) bytes.writeBigInt64LE(rows, i);
  }
}

describe('recoverRun', () => {
  it('makes files of the complete batches, keeps a stream that lost bytes, and ends the run', async () => {
    const folder = crashed();
    const stream = fs.readFileSync(`${folder}/gradients.arrows`);
    const [gradients, gram] = await recoverRun(folder, here());
    expect(gradients).toEqual({
      table: 'gradients',
      rows: 10,
      bytesDropped: expect.any(Number),
      reason: expect.stringMatching(/of the \d+ bytes of a message's body/),
      backup: `${folder}/gradients.arrows.bak`,
      error: null,
    });
    expect(gradients?.bytesDropped).toBeGreaterThan(100);
    expect(gram).toEqual({
      table: 'gram',
      rows: 20,
      bytesDropped: 0,
      reason: null,
      backup: null,
      error: null,
    });
    expect(fs.readdirSync(folder).sort()).toEqual([
      'config.yaml',
      'gradients.arrow',
      'gradients.arrows.bak',
      'gram.arrow',
      'run.json',
    ]);
    expect(fs.readFileSync(`${folder}/gradients.arrows.bak`).equals(stream)).toBe(true);
    expect((await rowsOf(folder, 'gradients')).map((row) => row['step'])).toEqual(range(0, 10));
    expect(readRunInfo(folder)).toMatchObject({ status: 'interrupted', ended: '2026-01-02T03:04:05.678Z' });
    expect(await recoverRun(folder, here())).toEqual([]);
  });

  it('refuses while a process writes', async () => {
    const folder = crashed();
    const before = fs.readdirSync(folder);
    await expect(recoverRun(folder, fakeEnvironment(20, new Map([...ghost, [20, 'b']])))).rejects.toThrow(
      /is being written by process 10 on here since 2026-01-02T03:04:05.678Z; wait for it or stop it/,
    );
    expect(fs.readdirSync(folder)).toEqual(before);
  });

  it('changes nothing when the device is full, whichever table it fills up at', async () => {
    const folder = crashed();
    const whole = fs.statSync(`${folder}/gram.arrows`).size;
    for (const budget of [500, whole, whole + 3000]) {
      const disk = failingFileSystem(budget);
      await expect(recoverRun(folder, { ...here(), fs: disk })).rejects.toThrow(UserError);
      expect(fs.readdirSync(folder).sort()).toEqual([
        'config.yaml',
        'gradients.arrows',
        'gram.arrows',
        'run.json',
      ]);
    }
  });

  it('can be called again when it was stopped between its renames', async () => {
    const folder = crashed();
    let renames = 0;
    const stopping = {
      ...nodeFileSystem,
      rename(from: string, to: string) {
        // The lock is taken over by a rename too.
        if (++renames === 3) throw Object.assign(new Error('EIO: i/o error'), { code: 'EIO' });
        nodeFileSystem.rename(from, to);
      },
    };
    await expect(recoverRun(folder, { ...here(), fs: stopping })).rejects.toThrow(/cannot be given its name/);
    expect(fs.readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
    expect(await recoverRun(folder, here())).toMatchObject([
      { table: 'gradients', rows: 10, backup: `${folder}/gradients.arrows.bak` },
      { table: 'gram', rows: 20, backup: null },
    ]);
    expect(await rowsOf(folder, 'gradients')).toHaveLength(10);
    expect(await rowsOf(folder, 'gram')).toHaveLength(20);
  });

  it('leaves a stream alone that has no schema or not all dictionaries, and recovers the others', async () => {
    const folder = crashed();
    const schemaLength = 8 + fs.readFileSync(`${folder}/gram.arrows`).readInt32LE(4);
    fs.truncateSync(`${folder}/gram.arrows`, schemaLength);
    fs.writeFileSync(`${folder}/steps.arrows`, '');
    const found = await recoverRun(folder, here());
    expect(found.map(({ table, rows, error }) => [table, rows, error?.message])).toEqual([
      ['gradients', 10, undefined],
      ['gram', 0, `${folder}/gram.arrows: cut before its first batch`],
      ['steps', 0, expect.stringContaining('steps.arrows: not a table, or cut within its schema')],
    ]);
    expect(fs.existsSync(`${folder}/gram.arrows`)).toBe(true);
    expect(fs.existsSync(`${folder}/steps.arrows`)).toBe(true);
  });

  it.each([
    [
      'a changed value',
      (bytes: Buffer, at: number) => bytes.writeInt32LE(77, at + 4),
      /checksum of column step/,
    ],
    [
      'a changed index',
      (bytes: Buffer, at: number) => bytes.writeInt32LE(77, at - 40),
      /checksum of column stage/,
    ],
    [
      'an impossible row count',
      (bytes: Buffer, at: number) => setRows(bytes, at, 2n ** 40n),
      /a batch of 1099511627776 rows in \d+ bytes|checksum does not fit its metadata/,
    ],
  ])('keeps a stream with %s, and the rows before it', async (_, change, reason) => {
    const folder = crashed();
    const bytes = fs.readFileSync(`${folder}/gram.arrows`);
    // The steps 10 to 19 lie behind the positions of their stage, which are all 0.
    change(bytes, bytes.indexOf(Buffer.from(Int32Array.from(range(10, 10)).buffer)));
    fs.writeFileSync(`${folder}/gram.arrows`, bytes);
    const [, gram] = await recoverRun(folder, here());
    expect(gram).toEqual({
      table: 'gram',
      rows: 10,
      bytesDropped: expect.toSatisfy((dropped: number) => dropped > 400),
      reason: expect.stringMatching(reason),
      backup: `${folder}/gram.arrows.bak`,
      error: null,
    });
    expect(fs.readFileSync(`${folder}/gram.arrows.bak`).equals(bytes)).toBe(true);
    expect((await rowsOf(folder, 'gram')).map((row) => row['step'])).toEqual(range(0, 10));
  });

  it('puts a stream of a killed probe aside, of which a part says nothing', async () => {
    const folder = crashed();
    TableWriter.create({ folder, table: tables.landscape, dimensions }).close();
    const found = await recoverRun(folder, here());
    expect(found.find(({ table }) => table === 'landscape')).toEqual({
      table: 'landscape',
      rows: 0,
      bytesDropped: 0,
      reason: 'left by a probe that was stopped; probe the run again',
      backup: `${folder}/landscape.arrows.bak`,
      error: null,
    });
    await expect(TableReader.open(folder, 'landscape')).rejects.toThrow(/there is no table landscape/);
  });

  it('writes a file anew that has fewer rows than its stream, and keeps a stream that has fewer', async () => {
    const folder = crashed();
    const other = temporaryFolder();
    writeGram(other, range(0, 5));
    await finalizeTable(other, 'gram');
    fs.copyFileSync(`${other}/gram.arrow`, `${folder}/gram.arrow`);
    const [, gram] = await recoverRun(folder, here());
    expect(gram).toMatchObject({ rows: 20, backup: null, bytesDropped: 0 });
    expect(await rowsOf(folder, 'gram')).toHaveLength(20);

    fs.rmSync(`${other}/gram.arrow`);
    writeGram(other, []);
    fs.renameSync(`${other}/gram.arrows`, `${folder}/gram.arrows`);
    const [again] = await recoverRun(folder, here());
    expect(again).toMatchObject({ rows: 20, backup: `${folder}/gram.arrows.bak` });
    expect(again?.reason).toBe('the file that is there has more rows than the stream, which has 0');
    expect(await rowsOf(folder, 'gram')).toHaveLength(20);
  });

  it('removes what killed processes left under temporary names, and nothing else', async () => {
    const folder = crashed();
    const dead = temporaryPath(`${folder}/gram.arrow`, fakeEnvironment(10, ghost).processes);
    const living = temporaryPath(`${folder}/gram.arrow`, here().processes);
    for (const path of [dead, living, `${folder}/notes.tmp`]) fs.writeFileSync(path, '');
    await recoverRun(folder, here());
    expect([dead, living, `${folder}/notes.tmp`].map((path) => fs.existsSync(path))).toEqual([
      false,
      true,
      true,
    ]);
  });

  it('works without a run.json, and does not write over an older backup', async () => {
    const folder = crashed();
    fs.writeFileSync(`${folder}/run.json`, '{');
    fs.writeFileSync(`${folder}/gradients.arrows.bak`, 'older');
    const [gradients] = await recoverRun(folder, here());
    expect(gradients?.backup).toBe(`${folder}/gradients.arrows.bak2`);
    expect(fs.readFileSync(`${folder}/run.json`, 'utf8')).toBe('{');
  });
});

describe('a process that is killed while it writes', () => {
  it('leaves tables whose rows are complete up to some step', async () => {
    for (let round = 0; round < 2; round++) {
      const folder = `${temporaryFolder()}/run`;
      const child = startChild('endless-writer', folder);
      expect(await firstLine(child)).toBe('writing');
      await new Promise((resolve) => setTimeout(resolve, 30 + 77 * round));
      child.kill('SIGKILL');
      await ended(child);

      const reader = await TableReader.open(folder, 'vectors');
      expect(reader.rows).toBeGreaterThanOrEqual(20);
      const last = await readTypedBatch(reader, tables.vectors, reader.batches.length - 1, ['values']);
      expect(last.columns.values.values.every((value) => value === reader.rows)).toBe(true);
      await reader.close();
      const steps = (await rowsOf(folder, 'gradients')).map((row) => row['step']);
      expect(steps.length).toBeGreaterThan(100);
      expect(steps).toEqual(steps.map((_, row) => 1 + Math.floor(row / 7)));

      const recovered = await recoverRun(folder);
      expect(recovered.map(({ rows, error }) => [rows, error])).toEqual([
        [steps.length, null],
        [reader.rows, null],
      ]);
      expect(readRunInfo(folder).status).toBe('interrupted');
      expect(await rowsOf(folder, 'gradients')).toHaveLength(steps.length);
    }
  });
});
