import { existsSync, lstatSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { chmod, chown, mkdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ensureNativeLibrary, nativeLibraryStatus } from '../../../../src/train/engine/setup/index.js';
import { FakeMachine, failed, missing, ok, PINNED_WHEEL } from './fake-machine.js';

let machine: FakeMachine;
beforeEach(async () => {
  machine = await FakeMachine.create();
});
afterEach(() => rm(machine.root, { recursive: true }));

const inEngine = (path: string) => join(machine.engineFolder, path);
const entry = () => join(machine.cacheFolder, 'tensorflow-cpu-2.21.0-linux-x64');
const ensure = (...args: Parameters<FakeMachine['options']>) =>
  ensureNativeLibrary(machine.options(...args), machine.system);

/** A second `npm ci`: everything native is gone. */
async function reinstall() {
  await rm(join(machine.root, 'node_modules'), { recursive: true });
  await machine.installPackages();
  machine.calls.length = 0;
}

describe('wheel', () => {
  test('is downloaded, unpacked, compiled against and linked', async () => {
    const outcome = await ensure();
    expect(outcome).toEqual({
      kind: 'built-from-wheel',
      libraryVersion: '2.21.0',
      source: 'wheel',
      line: `Native TensorFlow 2.21.0 is ready: taken from the Python wheel and kept in ${entry()}.`,
    });
    expect(machine.calls).toEqual(['python3 pipVersion', 'pipDownload', 'pipReport', 'compile', 'load']);
    expect(readFileSync(inEngine('deps/lib/libtensorflow.so'), 'utf8')).toMatch(/^library /);
    expect(readFileSync(inEngine('deps/include/tsl/platform/tstring.h'), 'utf8')).toBe('// tsl');
    expect(statSync(inEngine('deps/lib/libtensorflow_cc.so.2')).nlink).toBe(2);
    expect(readFileSync(inEngine('lib/napi-v8/tfjs_binding.node'), 'utf8')).toBe('binding');
    expect(readdirSync(machine.cacheFolder).sort()).toEqual(['logs', 'tensorflow-cpu-2.21.0-linux-x64']);
  });

  test('is ready at once the second time', async () => {
    await ensure();
    machine.calls.length = 0;
    expect(await ensure()).toEqual({
      kind: 'ready-already',
      libraryVersion: '2.21.0',
      line: 'Native TensorFlow 2.21.0 is ready.',
    });
    expect(machine.calls).toEqual([]);
    await ensure({ check: true });
    expect(machine.calls).toEqual(['load']);
  });

  test('comes from the cache after npm ci, with neither pip nor compiler', async () => {
    await ensure();
    await reinstall();
    expect(await ensure()).toEqual({
      kind: 'built-from-wheel',
      libraryVersion: '2.21.0',
      source: 'cache',
      line: `Native TensorFlow 2.21.0 is ready: linked from ${entry()}.`,
    });
    expect(machine.calls).toEqual(['load']);
  });

  test('falls back to a symbolic link, then to a copy', async () => {
    const refuse = () => Promise.reject(new Error('EXDEV'));
    const noHardLinks = { ...machine.system, hardLink: refuse };
    await ensureNativeLibrary(machine.options(), noHardLinks);
    expect(lstatSync(inEngine('deps/lib/libtensorflow_cc.so.2')).isSymbolicLink()).toBe(true);
    await reinstall();
    await ensureNativeLibrary(machine.options(), { ...noHardLinks, symbolicLink: refuse });
    expect(lstatSync(inEngine('deps/lib/libtensorflow_cc.so.2')).isFile()).toBe(true);
    const status = await nativeLibraryStatus(machine.options(), machine.system);
    expect(status).toMatchObject({ installed: true, placement: 'copy' });
  });

  test('is fetched again where the cached library was changed', async () => {
    await ensure();
    await reinstall();
    const library = join(entry(), 'lib/libtensorflow_framework.so.2');
    await rm(library);
    await writeFile(library, 'framewerk');
    await utimes(library, 1, 1);
    expect(await ensure()).toMatchObject({ source: 'wheel' });
  });

  test('is compiled anew where the cached binding does not load here', async () => {
    await ensure();
    await reinstall();
    const load = machine.tools.load;
    let first = true;
    machine.tools.load = (...args) => {
      if (!first) return load(...args);
      first = false;
      return failed('Error: GLIBC_2.38 not found');
    };
    expect(await ensure()).toMatchObject({ kind: 'built-from-wheel', source: 'cache' });
    expect(machine.calls).toEqual(['load', 'compile', 'load']);
  });

  test('a binding that never loads is taken away again', async () => {
    machine.tools.load = () => ({ ...failed(''), code: null });
    expect((await ensure()).line).toContain(
      '(the compiled binding does not load: it ended the process that loaded it, exit code none)',
    );
    expect(existsSync(inEngine('lib/napi-v8/tfjs_binding.node'))).toBe(false);
  });

  test('serves another package by name alone', async () => {
    await ensure();
    const outcome = await ensure({}, { GRADSCOPE_TENSORFLOW_PACKAGE: 'tensorflow' });
    expect(outcome).toMatchObject({ kind: 'built-from-wheel', source: 'wheel' });
    expect(readdirSync(machine.cacheFolder)).toContain('tensorflow-2.21.0-linux-x64');
  });
});

describe('a cached library is run, so that nobody else may change it', () => {
  const library = () => join(entry(), 'lib/libtensorflow_cc.so.2');

  test('one of another content is fetched again, whatever its size and time', async () => {
    await ensure();
    await reinstall();
    const { atime, mtime, size } = statSync(library());
    await rm(library());
    await writeFile(library(), 'X'.repeat(size), { mode: 0o444 });
    await utimes(library(), atime, mtime);
    expect(await ensure()).toMatchObject({ kind: 'built-from-wheel', source: 'wheel' });
  });

  test('a manifest that agrees with a changed library is not believed where the hash is known', async () => {
    await ensure();
    await reinstall();
    const manifest = join(entry(), 'manifest.json');
    const text = await readFile(manifest, 'utf8');
    await writeFile(manifest, text.replace(/tensorflow_cpu-[^"]*whl/, PINNED_WHEEL));
    expect(await ensure()).toMatchObject({ source: 'wheel' });
  });

  test.each([
    ['the folder', () => machine.cacheFolder],
    ['the entry', entry],
    ['the library', library],
    ['the folder of the binding', () => join(entry(), 'binding-4.22.0/napi-v8')],
  ])('%s that everybody may write is refused', async (_, path) => {
    await ensure();
    await reinstall();
    await chmod(path(), 0o777);
    const { line } = await ensure();
    expect(line).toContain(`(everybody may write ${path()}, and so change the library that is run)`);
    expect(line).toContain('name a folder of your own in GRADSCOPE_CACHE');
    expect(machine.calls).toEqual([]);
  });

  test('what the group may write is closed to it', async () => {
    await ensure();
    await reinstall();
    await chmod(machine.cacheFolder, 0o775);
    await chmod(library(), 0o664);
    expect(await ensure()).toMatchObject({ source: 'cache' });
    expect(statSync(machine.cacheFolder).mode & 0o777).toBe(0o755);
    expect(statSync(library()).mode & 0o777).toBe(0o644);
  });

  test('a new folder is open to nobody else', async () => {
    await ensure();
    expect(statSync(machine.cacheFolder).mode & 0o777).toBe(0o700);
  });

  test('a folder of another user is refused', async () => {
    await ensure();
    await reinstall();
    const { uid } = statSync(machine.cacheFolder);
    const other = { ...machine.system, userId: uid + 1 };
    const outcome = await ensureNativeLibrary(machine.options(), other);
    // Folders of root are everybody's to trust.
    if (uid === 0) expect(outcome).toMatchObject({ source: 'cache' });
    else expect(outcome.line).toContain(`${machine.cacheFolder} belongs to another user (${uid})`);
  });

  test.skipIf(process.getuid?.() !== 0)('a folder of another user than root is refused to root', async () => {
    await ensure();
    await reinstall();
    await chown(machine.cacheFolder, 12345, 12345);
    expect((await ensure()).line).toContain(`${machine.cacheFolder} belongs to another user (12345)`);
  });
});

describe('already there', () => {
  test('a binding of unknown origin is taken if it loads', async () => {
    await mkdir(inEngine('lib/napi-v8'), { recursive: true });
    await mkdir(inEngine('deps/lib'), { recursive: true });
    await writeFile(inEngine('lib/napi-v8/tfjs_binding.node'), 'binding');
    await writeFile(inEngine('deps/lib/libtensorflow.so'), '');
    expect(await ensure()).toMatchObject({ kind: 'ready-already' });
    expect(await ensure()).toMatchObject({ kind: 'ready-already' });
    expect(machine.calls).toEqual(['load']);
  });

  test('a changed binding is replaced', async () => {
    await ensure();
    // Of another size: a change within one tick of the file system's clock shows in the size alone.
    await writeFile(inEngine('lib/napi-v8/tfjs_binding.node'), 'garbage of another size');
    expect(await ensure()).toMatchObject({ kind: 'built-from-wheel', source: 'cache' });
  });

  test('a library that stopped loading is repaired by a check', async () => {
    await ensure();
    const load = machine.tools.load;
    machine.tools.load = () => {
      machine.tools.load = load;
      return { ...failed(''), code: null };
    };
    expect(await ensure({ check: true })).toMatchObject({ kind: 'built-from-wheel', source: 'cache' });
    expect(machine.notes[0]).toContain('does not load and is set up again');
  });
});

describe('official download', () => {
  const install = async () => {
    await mkdir(inEngine('deps/lib'), { recursive: true });
    await mkdir(inEngine('lib/napi-v8'), { recursive: true });
    await writeFile(inEngine('deps/lib/libtensorflow.so.2.9.1'), 'old');
    await writeFile(inEngine('deps/lib/libtensorflow.so'), 'old');
    await writeFile(inEngine('lib/napi-v8/tfjs_binding.node'), 'binding 2.9');
    return ok();
  };

  test('is used when asked for, and kept', async () => {
    await ensure();
    machine.tools.install = install;
    const outcome = {
      kind: 'official-download',
      libraryVersion: '2.9.1',
      line: 'Native TensorFlow 2.9.1 is ready: the official download of tfjs-node-gpu.',
    };
    expect(await ensure({ official: true })).toEqual(outcome);
    expect(await ensure({ official: true })).toMatchObject({
      kind: 'ready-already',
      libraryVersion: '2.9.1',
    });
    expect(await ensure()).toMatchObject({ kind: 'ready-already', libraryVersion: '2.9.1' });
    expect(existsSync(inEngine('deps.before'))).toBe(false);
  });

  test('is never tried by itself: no hash of it is known', async () => {
    machine.tools.pipVersion = () => missing;
    machine.tools.install = install;
    expect(await ensure()).toMatchObject({ kind: 'none', skipped: false });
    expect(machine.calls).not.toContain('install');
    expect(machine.notes).toEqual([
      'native TensorFlow, Python wheel: no Python with pip under the name python3 or python',
    ]);
  });

  test('leaves the package as it was where it fails', async () => {
    await ensure();
    const before = await readFile(inEngine('package.json'), 'utf8');
    machine.tools.install = async () => {
      await install();
      await writeFile(inEngine('package.json'), '{"renamed": true}');
      return failed('403');
    };
    // The earlier library is still there, and is said to be.
    expect(await ensure({ official: true })).toMatchObject({
      kind: 'ready-already',
      libraryVersion: '2.21.0',
    });
    expect(machine.notes[0]).toContain('the official TensorFlow download failed, log');
    expect(await readFile(inEngine('package.json'), 'utf8')).toBe(before);
    expect(await ensure()).toMatchObject({ kind: 'ready-already', libraryVersion: '2.21.0' });
  });

  test('is given up within twenty seconds where no data comes', async () => {
    const start = machine.clock;
    machine.tools.install = machine.hanging(500);
    const outcome = await ensure({ official: true });
    expect(machine.clock - start).toBeLessThan(20_000);
    expect(outcome.line).toMatch(
      /^No native TensorFlow \(the official TensorFlow download gave no data, log /,
    );
    expect(readdirSync(machine.engineFolder)).not.toContain('deps');
  });
});

describe('none', () => {
  test('says what fails, what it costs and what to do, and remembers it', async () => {
    machine.tools.pipVersion = () => missing;
    const outcome = await ensure();
    expect(outcome.line).toBe(
      'No native TensorFlow (no Python with pip under the name python3 or python): ' +
        'the embedded WASM engine is used, about 15 times slower on large matrix products; ' +
        'to get the native library, install python3 with pip (GRADSCOPE_PYTHON names an interpreter) ' +
        'and run `npx gradscope setup`.',
    );
    expect(machine.calls).toEqual(['python3 pipVersion', 'python pipVersion']);

    machine.calls.length = 0;
    machine.clock += 5 * 60_000;
    expect((await ensure({ automatic: true })).line).toContain('python3 or python, tried 5 min ago)');
    expect(machine.calls).toEqual([]);
    machine.clock += 24 * 3600_000;
    await ensure({ automatic: true });
    expect(machine.calls).toContain('python3 pipVersion');
    expect(await nativeLibraryStatus(machine.options(), machine.system)).toMatchObject({
      installed: false,
      reason: expect.stringContaining('no Python with pip'),
    });
  });

  test.each([
    [{ platform: 'darwin' }, 'this is darwin on x64'],
    [{ architecture: 'arm64' }, 'this is linux on arm64'],
    [{ glibcVersion: () => '2.17' }, 'glibc 2.17 is too old'],
    [{ glibcVersion: () => undefined }, 'this Linux has no glibc'],
    [{ freeBytes: async () => 5e8 }, '500 MB free and 1400 MB are needed'],
  ])('the wheel is not for every machine: %o', async (difference, reason) => {
    const outcome = await ensureNativeLibrary(machine.options(), { ...machine.system, ...difference });
    expect(outcome.line).toContain(reason);
    expect(machine.calls).not.toContain('pipDownload');
  });

  test.each(['auto', 'native', ''])('GRADSCOPE_ENGINE=%s asks for the native library', async (engine) => {
    expect(await ensure({}, { GRADSCOPE_ENGINE: engine })).toMatchObject({ kind: 'built-from-wheel' });
  });

  test.each(['wasm', 'cpu'])('is what GRADSCOPE_ENGINE=%s asks for', async (engine) => {
    const outcome = await ensure({}, { GRADSCOPE_ENGINE: engine });
    expect(outcome).toMatchObject({ kind: 'none', skipped: true });
    expect(outcome.line).toContain(`because the engine "${engine}" was chosen`);
    expect(machine.calls).toEqual([]);
  });

  test('missing packages are the user’s to install', async () => {
    await rm(join(machine.root, 'node_modules'), { recursive: true });
    await expect(ensure()).rejects.toThrow(/tfjs-node-gpu is not installed; run npm ci$/);
  });
});

test('the status tells where the library is and what it was made from', async () => {
  const before = await nativeLibraryStatus(machine.options(), machine.system);
  expect(before).toMatchObject({ installed: false, reason: 'not set up yet: run `npx gradscope setup`' });
  await ensure();
  expect(await nativeLibraryStatus(machine.options(), machine.system)).toMatchObject({
    installed: true,
    libraryVersion: '2.21.0',
    obtained: 'wheel',
    placement: 'hard link',
    cacheEntry: entry(),
    libraryFolder: inEngine('deps/lib'),
    wheel: { verifiedBy: 'index' },
  });
});
