import fs from 'node:fs';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../data/errors.js';
import { nodeFileSystem } from '../../src/store/file-system.js';
import { recoverRun } from '../../src/store/recover.js';
import { readRunInfo, RunFolder } from '../../src/store/run-folder.js';
import { TableReader } from '../../src/store/table-reader.js';
import {
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
  fs.copyFileSync(writer.path, `${folder}/gram.arrows`);
  fs.truncateSync(writer.path, writer.byteOffset - 100);
  return folder;
}

const here = () => fakeEnvironment(20, new Map([[20, 'b']]));

describe('recoverRun', () => {
  it('makes files of the complete batches, keeps a stream that lost bytes, and ends the run', async () => {
    const folder = crashed();
    const stream = fs.readFileSync(`${folder}/gradients.arrows`);
    const [gradients, gram] = await recoverRun(folder, here());
    expect(gradients).toEqual({
      table: 'gradients',
      rows: 10,
      bytesDropped: expect.any(Number),
      backup: `${folder}/gradients.arrows.bak`,
      error: null,
    });
    expect(gradients?.bytesDropped).toBeGreaterThan(100);
    expect(gram).toEqual({ table: 'gram', rows: 20, bytesDropped: 0, backup: null, error: null });
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

  it('leaves a stream alone that holds what no writer writes', async () => {
    const folder = crashed();
    const bytes = fs.readFileSync(`${folder}/gram.arrows`);
    // The steps 10 to 19 lie behind the positions of their stage, which are all 0.
    const steps = Buffer.from(Int32Array.from(range(10, 10)).buffer);
    bytes.writeInt32LE(77, bytes.indexOf(steps) - 40);
    fs.writeFileSync(`${folder}/gram.arrows`, bytes);
    const found = await recoverRun(folder, here());
    expect(found.map(({ rows, error }) => [rows, error?.message])).toEqual([
      [10, undefined],
      [0, expect.stringMatching(/gram\.arrows: damaged, .*column stage, row \d+: index 77/)],
    ]);
    expect(fs.readdirSync(folder).filter((name) => name.startsWith('gram'))).toEqual(['gram.arrows']);
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
      const last = (await reader.readBatch(reader.batches.length - 1)).column('values', 'list-float32');
      expect(last.values.every((value) => value === reader.rows)).toBe(true);
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
