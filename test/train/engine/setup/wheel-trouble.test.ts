import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ensureNativeLibrary } from '../../../../src/train/engine/setup/index.js';
import { failed, FakeMachine, ok, PINNED_WHEEL, pipReport } from './fake-machine.js';
import { tinyZip, WHEEL_ENTRIES } from './tiny-zip.js';

let machine: FakeMachine;
beforeEach(async () => {
  machine = await FakeMachine.create();
});
afterEach(() => rm(machine.root, { recursive: true }));

const ensure = () => ensureNativeLibrary(machine.options(), machine.system);
const reason = async () => {
  const outcome = await ensure();
  return outcome.kind === 'none' ? outcome.attempts[0]?.reason : outcome.kind;
};
/** Names in the cache that a later set-up would take for finished. */
const finalNames = () =>
  readdirSync(machine.cacheFolder).filter((name) => name !== 'logs' && !name.startsWith('.partial'));

describe('hashes', () => {
  test('a wheel that differs from its pinned hash is refused', async () => {
    machine.wheel = { ...machine.wheel, fileName: PINNED_WHEEL };
    expect(await reason()).toMatch(/^refused tensorflow_cpu.*its sha256 is \w{64} instead of 2b847d21/);
    expect(finalNames()).toEqual([]);
    expect(machine.calls).not.toContain('pipReport');
  });

  test('a wheel that differs from the hash of the index is refused', async () => {
    machine.tools.pipReport = () => ok(JSON.stringify(pipReport('f'.repeat(64))));
    expect(await reason()).toMatch(/instead of f{64}$/);
    expect(finalNames()).toEqual([]);
  });

  test('a pip that reports no hash is trusted with its own comparison', async () => {
    machine.tools.pipReport = () => failed('no such option: --report');
    expect(await reason()).toBe('built-from-wheel');
    const manifest = join(machine.cacheFolder, 'tensorflow-cpu-2.21.0-linux-x64/manifest.json');
    expect(readFileSync(manifest, 'utf8')).toContain('"verifiedBy": "pip"');
  });
});

describe('pip', () => {
  const unreachable =
    "WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError'\n" +
    'ERROR: Could not find a version that satisfies the requirement (from versions: none)\n' +
    'ERROR: No matching distribution found for tensorflow-cpu==2.21.0';

  test('an unreachable index is named, and not asked twice', async () => {
    machine.tools.pipDownload = () => failed(unreachable);
    expect(await reason()).toMatch(
      /^pip could not download tensorflow-cpu==2.21.0: it reaches no package index, log .*pip-download.log$/,
    );
    expect(machine.calls.filter((call) => call === 'pipDownload')).toHaveLength(1);
    const log = await readFile(join(machine.cacheFolder, 'logs/pip-download.log'), 'utf8');
    expect(log).toContain('connection broken');
  });

  test('an index without the wheel is named, even beside a dead one', async () => {
    machine.tools.pipDownload = () => failed(unreachable.replace('none', '2.20.0'));
    expect(await reason()).toMatch(/^the package index has no wheel of tensorflow-cpu==2.21.0/);
  });

  test('a pip that refuses the choice of interpreter is asked plainly', async () => {
    const download = machine.tools.pipDownload;
    machine.tools.pipDownload = (args, options) =>
      args.includes('--platform') ? failed('no such option: --platform') : download(args, options);
    expect(await reason()).toBe('built-from-wheel');
  });

  test('a hash that pip refuses is passed on', async () => {
    machine.tools.pipDownload = () => failed('ERROR: THESE PACKAGES DO NOT MATCH THE HASHES');
    expect(await reason()).toMatch(/^pip refused tensorflow-cpu==2.21.0: its hash/);
  });

  test.each([
    [
      'ERROR: Could not find an activated virtualenv (required).',
      /wants a virtual environment/,
      /GRADSCOPE_PYTHON/,
    ],
    ['error: externally-managed-environment', /wants a virtual environment/, /GRADSCOPE_PYTHON/],
    [
      'ERROR: In --require-hashes mode, all requirements must have their versions',
      /demands hashes/,
      /require-hashes/,
    ],
    [
      'ERROR: Cannot install x==2 because these package versions have conflicting dependencies.',
      /exclude/,
      /constraint/,
    ],
    [
      'ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device',
      /no space left/,
      /1\.4 GB/,
    ],
    ["ERROR: [Errno 13] Permission denied: '/x'", /may not write/, /GRADSCOPE_CACHE/],
    ['WARNING: Retrying ... SSLError(SSLCertVerificationError', /does not trust the certificate/, /PIP_CERT/],
    ['ERROR: HTTP error 403 while getting https://x', /without permission/, /PIP_INDEX_URL/],
    ['ERROR: 401 Client Error: Unauthorized for url: x', /without permission/, /PIP_INDEX_URL/],
    [
      'Configuration file contains invalid utf-8 characters in /x.',
      /cannot read its configuration/,
      /pip config debug/,
    ],
    [
      'ERROR: something new\n',
      /^pip failed to download \S+ \(ERROR: something new\), log /,
      /see the end of that log/,
    ],
    [
      'Traceback (most recent call last):\nValueError: a \u001B[31mproblem',
      /\(ValueError: a \\x1b\[31mproblem\)/,
      /that log/,
    ],
    ['', /^pip failed to download \S+ \(exit code 1\)/, /that log/],
  ])('%j is not called a fault of the network', async (printed, expected, remedy) => {
    machine.tools.pipDownload = () => failed(printed);
    const outcome = await ensure();
    expect(outcome.kind === 'none' && outcome.attempts[0]?.reason).toMatch(expected);
    expect(outcome.kind === 'none' && outcome.attempts[0]?.remedy).toMatch(remedy);
    expect(outcome.line).not.toContain('\n');
    expect(machine.calls).not.toContain('install');
  });

  test('the second answer counts where the first was about an option', async () => {
    machine.tools.pipDownload = (args) =>
      failed(args.includes('--platform') ? 'no such option: --platform' : 'ERROR: HTTP error 403');
    expect(await reason()).toMatch(/without permission/);
  });

  test('a download that stands still is ended', async () => {
    machine.tools.pipDownload = machine.hanging(5000);
    expect(await reason()).toMatch(/^pip could not download/);
  });
});

describe('compiler', () => {
  test.each([
    ['gyp ERR! stack Error: not found: make', 'no make', 'install make and g++'],
    ['make: g++: No such file or directory', 'no C++ compiler', 'install g++ and make'],
    ['/bin/sh: 1: g++: not found', 'no C++ compiler', 'install g++ and make'],
    ['gyp ERR! find Python Python is not set', 'node-gyp found no python3', 'install python3'],
    [
      'gyp ERR! stack related to network connectivity',
      'the Node.js headers could not be downloaded',
      'set npm',
    ],
    ["Failed to execute 'node-gyp clean' (Error: spawn node-gyp ENOENT)", 'no node-gyp', 'install npm'],
  ])('%s', async (printed, cause, remedy) => {
    machine.tools.compile = () => failed(`gyp info find Python using Python version 3.11\n${printed}\n`);
    const outcome = await ensure();
    const log = join(machine.cacheFolder, 'logs/compile-binding.log');
    expect(outcome.line).toContain(`(the binding could not be compiled: ${cause}, log ${log})`);
    expect(outcome.line).toContain(`to get the native library, ${remedy}`);
    expect(readFileSync(log, 'utf8')).toContain(printed);
  });

  test('the library stays for the next try', async () => {
    const compile = machine.tools.compile;
    machine.tools.compile = () => failed('error: something else');
    expect(await reason()).toMatch(/could not be compiled, log/);
    expect(existsSync(join(machine.engineFolder, 'deps'))).toBe(false);
    machine.tools.compile = compile;
    machine.calls.length = 0;
    expect(await reason()).toBe('built-from-wheel');
    expect(machine.calls).toEqual(['compile', 'load']);
  });
});

describe('damage and interruption', () => {
  test('a damaged wheel leaves nothing', async () => {
    const bytes = Buffer.from(tinyZip(WHEEL_ENTRIES));
    const [name, content] = ['tensorflow/libtensorflow_framework.so.2', 'framework'];
    bytes.write('X', bytes.indexOf(name + content) + name.length);
    machine.wheel = { ...machine.wheel, bytes };
    expect(await reason()).toMatch(/is damaged: tensorflow\/libtensorflow_framework.so.2 has another/);
    expect(readdirSync(machine.cacheFolder)).toEqual([]);
  });

  test('what an interrupted set-up left is neither used nor kept', async () => {
    const left = join(machine.cacheFolder, '.partial-7-1/entry/lib');
    await mkdir(left, { recursive: true });
    await writeFile(join(left, 'libtensorflow_cc.so.2'), 'half');
    expect(await reason()).toBe('built-from-wheel');
    expect(machine.calls).toContain('pipDownload');
    expect(existsSync(left)).toBe(false);
  });

  test('an end in the middle of unpacking leaves no final name', async () => {
    // The disk refuses, as it does when it is full: the header folder cannot be made because a file has its name.
    const download = machine.tools.pipDownload;
    machine.tools.pipDownload = async (args, options) => {
      const result = await download(args, options);
      const partial = join(args[args.indexOf('--dest') + 1] ?? '', '../..');
      await mkdir(join(partial, 'entry'));
      await writeFile(join(partial, 'entry/include'), '');
      return result;
    };
    expect(await reason()).toMatch(/^ENOTDIR|^EEXIST/);
    expect(finalNames()).toEqual([]);
    machine.tools.pipDownload = download;
    expect(await reason()).toBe('built-from-wheel');
  });
});
