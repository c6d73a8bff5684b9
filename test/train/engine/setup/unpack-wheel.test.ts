import { readFileSync, statSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { targetOfEntry, unpackWheel } from '../../../../src/train/engine/setup/unpack-wheel.js';
import { sha256 } from './fake-machine.js';
import { tinyZip, WHEEL_ENTRIES, type TinyEntry } from './tiny-zip.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gradscope-unpack-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function unpack(entries: readonly TinyEntry[]) {
  const wheel = join(folder, 'x.whl');
  await writeFile(wheel, tinyZip(entries));
  return unpackWheel(wheel, join(folder, 'out'));
}

test('stored and deflated entries arrive whole, others not at all', async () => {
  let bytes = 0;
  await writeFile(join(folder, 'x.whl'), tinyZip(WHEEL_ENTRIES));
  const files = await unpackWheel(join(folder, 'x.whl'), join(folder, 'out'), (done) => (bytes = done));
  const library = 'library '.repeat(50_000);
  expect(files.map(({ name }) => name)).toEqual([
    'lib/libtensorflow_framework.so.2',
    'lib/libtensorflow_cc.so.2',
    'include/tensorflow/c/c_api.h',
    'include/tsl/platform/tstring.h',
  ]);
  expect(files[1]).toEqual({
    name: 'lib/libtensorflow_cc.so.2',
    size: 400_000,
    sha256: sha256(Buffer.from(library)),
  });
  expect(readFileSync(join(folder, 'out/lib/libtensorflow_cc.so.2'), 'utf8')).toBe(library);
  expect(statSync(join(folder, 'out/lib/libtensorflow_cc.so.2')).mode & 0o777).toBe(0o444);
  expect(bytes).toBe(400_000 + 'framework// C API// tsl'.length);
  expect(await readdir(join(folder, 'out'))).toEqual(['lib', 'include'].sort());
});

const changed = (name: string, change: Partial<TinyEntry>) =>
  WHEEL_ENTRIES.map((entry) => (entry.name.endsWith(name) ? { ...entry, ...change } : entry));

test.each([
  ['a wrong CRC-32', changed('c_api.h', { checksum: 1 }), /c_api.h has another size or CRC-32/],
  ['a wrong size', changed('cc.so.2', { size: 7 }), /cc.so.2 has another size or CRC-32/],
  ['a missing library', WHEEL_ENTRIES.slice(0, 2), /the wheel has no lib\/libtensorflow_cc.so.2/],
  ['a climbing name', changed('c_api.h', { name: '../../c_api.h' }), /is damaged: invalid relative path/],
])('%s is refused', async (_what, entries, message) => {
  await expect(unpack(entries)).rejects.toThrow(message);
});

test('a file that is cut short or no zip at all is refused', async () => {
  const wheel = join(folder, 'x.whl');
  const bytes = tinyZip(WHEEL_ENTRIES);
  await writeFile(wheel, bytes.subarray(0, bytes.length / 2));
  await expect(unpackWheel(wheel, join(folder, 'out'))).rejects.toThrow(/x.whl is damaged: /);
  await writeFile(wheel, '<html>404</html>');
  await expect(unpackWheel(wheel, join(folder, 'out'))).rejects.toThrow(/x.whl is damaged: /);
});

test('a damaged deflate stream is refused', async () => {
  const bytes = tinyZip(WHEEL_ENTRIES);
  const start = bytes.indexOf('tensorflow/libtensorflow_cc.so.2') + 'tensorflow/libtensorflow_cc.so.2'.length;
  bytes.fill(0xff, start, start + 20);
  await writeFile(join(folder, 'x.whl'), bytes);
  await expect(unpackWheel(join(folder, 'x.whl'), join(folder, 'out'))).rejects.toThrow(/is damaged: /);
});

test('entry names are matched exactly', () => {
  expect(targetOfEntry('tensorflow/libtensorflow_cc.so.2')).toBe('lib/libtensorflow_cc.so.2');
  expect(targetOfEntry('tensorflow/libtensorflow_cc.so.2.bak')).toBeUndefined();
  expect(targetOfEntry('other/tensorflow/libtensorflow_cc.so.2')).toBeUndefined();
  expect(targetOfEntry('tensorflow/include/tensorflow/core/platform/x.h')).toBe(
    'include/tensorflow/core/platform/x.h',
  );
  expect(targetOfEntry('tensorflow/include/tensorflow/core/kernels/x.h')).toBeUndefined();
});
