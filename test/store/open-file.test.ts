import fs from 'node:fs';
import path from 'node:path';
import { expect, test, vi } from 'vitest';
import { UserError } from '../../data/errors.js';
import { OpenFile } from '../../src/store/open-file.js';
import { temporaryFolder } from './support.js';

/** Descriptors of this process that are files below a folder. */
const openBelow = (folder: string): number =>
  fs.readdirSync('/proc/self/fd').filter((own) => {
    try {
      return fs.readlinkSync(`/proc/self/fd/${own}`).startsWith(folder);
    } catch {
      return false;
    }
  }).length;

async function openMany(folder: string, count: number): Promise<OpenFile[]> {
  const files: OpenFile[] = [];
  for (let i = 0; i < count; i++) {
    const file = path.join(folder, `${i}`);
    fs.writeFileSync(file, `file ${i} `.repeat(1000));
    files.push((await OpenFile.open(file))!);
  }
  return files;
}

const read = async (file: OpenFile): Promise<string> => Buffer.from(await file.read(0, 8)).toString();

test.skipIf(!fs.existsSync('/proc/self/fd'))(
  'hundreds of files are read with few descriptors, and closed ones have none',
  async () => {
    const folder = temporaryFolder();
    const files = await openMany(folder, 300);
    expect(openBelow(folder)).toBeLessThanOrEqual(32);
    for (const [i, file] of files.entries()) {
      expect(Buffer.from(file.readNow(0, 8)).toString()).toBe(`file ${i} `.repeat(2).slice(0, 8));
      expect((await file.stat()).size).toBe(1000 * `file ${i} `.length);
    }
    // Also where all are read at once, in any order.
    const texts = await Promise.all(files.map(read));
    expect(texts[299]).toBe('file 299');
    expect(openBelow(folder)).toBeLessThanOrEqual(32);
    for (const file of files) await file.close();
    expect(openBelow(folder)).toBe(0);
  },
);

test('a file that another one replaced is not read for the first', async () => {
  const folder = temporaryFolder();
  const [first, ...others] = await openMany(folder, 100);
  fs.writeFileSync(path.join(folder, 'other'), 'other');
  fs.renameSync(path.join(folder, 'other'), first!.path);
  await expect(read(first!)).rejects.toThrow(UserError);
  await expect(read(first!)).rejects.toThrow(/was replaced while it was read/);
  for (const file of [first!, ...others]) await file.close();
});

test('calls that a signal interrupts are made again', async () => {
  const file = path.join(temporaryFolder(), 'some');
  fs.writeFileSync(file, 'all of it');
  const interrupted = (): never => {
    throw Object.assign(new Error('EINTR: interrupted system call'), { code: 'EINTR' });
  };
  const calls = [
    vi.spyOn(fs, 'openSync').mockImplementationOnce(interrupted),
    vi.spyOn(fs, 'readSync').mockImplementationOnce(interrupted),
  ];
  try {
    const opened = (await OpenFile.open(file))!;
    expect(Buffer.from(opened.readNow(0, 9)).toString()).toBe('all of it');
    await opened.close();
    for (const call of calls) expect(call.mock.calls.length).toBe(2);
  } finally {
    for (const call of calls) call.mockRestore();
  }
});
