import fs from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { UserError } from '../../data/errors.js';
import { writeAtomically } from '../../src/store/atomic-file.js';
import { nodeFileSystem } from '../../src/store/file-system.js';
import { acquireLock } from '../../src/store/lock.js';
import { RunFolder } from '../../src/store/run-folder.js';
import { asUserError, systemCode, systemMessage } from '../../src/store/system-error.js';
import {
  fakeEnvironment,
  failingFileSystem,
  gradientsWriter,
  fillGradients,
  newRun,
  temporaryFolder,
} from './support.js';

afterEach(() => {
  vi.restoreAllMocks();
});

/** An error as Node makes it of a failing call. */
function failure(code: string, errno: number, syscall: string): Error {
  return Object.assign(new Error(`${code}: no luck, ${syscall}`), { code, errno, syscall });
}

const isLinux = process.platform === 'linux';

describe('folders', () => {
  it('are made with those above them, also by two at once', () => {
    const root = temporaryFolder();
    nodeFileSystem.makeFolder(join(root, 'a/b/c'));
    nodeFileSystem.makeFolder(join(root, 'a/b/c'));
    fs.symlinkSync('a', join(root, 'link'));
    nodeFileSystem.makeFolder(join(root, 'link/d'));
    expect(fs.readdirSync(join(root, 'a'))).toEqual(['b', 'd']);
    fs.writeFileSync(join(root, 'file'), '');
    expect(() => nodeFileSystem.makeFolder(join(root, 'file'))).toThrow(/EEXIST/);
    expect(() => nodeFileSystem.makeFolder(join(root, 'file/x'))).toThrow(/ENOTDIR/);
  });

  it.skipIf(!isLinux)('that no system call can make are an error, not a loop', () => {
    for (const path of ['/proc/none', '/proc/none/deeper/still']) {
      expect(() => RunFolder.create(path, newRun, '')).toThrow(
        `${path}: cannot be made (ENOENT: /proc is there, but takes no new folders, mkdir)`,
      );
    }
  });

  it.each(['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'])(
    'that cannot be synced (%s) are written all the same',
    (code) => {
      const folder = temporaryFolder();
      const sync = vi.spyOn(fs, 'fsyncSync').mockImplementation(() => {
        throw failure(code, -22, 'fsync');
      });
      writeAtomically(nodeFileSystem, join(folder, 'run.json'), '{}');
      expect(sync).toHaveBeenCalledTimes(2);
      expect(fs.readdirSync(folder)).toEqual(['run.json']);
    },
  );

  it('whose device fails are an error', () => {
    const folder = temporaryFolder();
    vi.spyOn(fs, 'fsyncSync').mockImplementation(() => {
      throw failure('EIO', -5, 'fsync');
    });
    expect(() => nodeFileSystem.syncFolder(folder)).toThrow(/EIO/);
    expect(() => writeAtomically(nodeFileSystem, join(folder, 'run.json'), '{}')).toThrow(UserError);
    expect(fs.readdirSync(folder)).toEqual([]);
  });
});

describe('a call that a signal interrupts', () => {
  it('is made again, but a file is closed once', () => {
    const path = join(temporaryFolder(), 'file');
    const fd = nodeFileSystem.open(path, 'new');
    nodeFileSystem.write(fd, [Buffer.from('abc')], 0);
    let left = 3;
    const { readSync } = fs;
    vi.spyOn(fs, 'readSync').mockImplementation((...args: Parameters<typeof readSync>) => {
      if (left-- > 0) throw failure('EINTR', -4, 'read');
      return readSync(...args);
    });
    const bytes = new Uint8Array(3);
    expect(nodeFileSystem.read(fd, bytes, 0)).toBe(3);
    expect(Buffer.from(bytes).toString()).toBe('abc');
    fs.closeSync(fd);
    const close = vi.spyOn(fs, 'closeSync').mockImplementation(() => {
      throw failure('EINTR', -4, 'close');
    });
    nodeFileSystem.close(fd);
    expect(close).toHaveBeenCalledTimes(1);
  });
});

describe('errors of the system', () => {
  it.skipIf(!isLinux)('have names and words that Node does not know', () => {
    const quota = Object.assign(new Error('Unknown system error -122: Unknown system error -122, write'), {
      errno: -122,
      code: 'Unknown system error -122',
      syscall: 'write',
    });
    expect(systemCode(quota)).toBe('EDQUOT');
    expect(systemMessage(quota)).toBe('EDQUOT: disk quota exceeded, write');
    const disk = failingFileSystem(Number.POSITIVE_INFINITY);
    const writer = gradientsWriter(temporaryFolder(), { fs: disk });
    fillGradients(writer, [1]);
    disk.write = () => {
      throw quota;
    };
    expect(() => writer.flush()).toThrow(
      /\(EDQUOT: disk quota exceeded, write\); .*; free space within the quota, or have it raised, then resume the run$/,
    );
    disk.write = (fd, chunks, position) => nodeFileSystem.write(fd, chunks, position);
    writer.close();
  });

  it('become one line with path and advice where nobody had better words', () => {
    const seen: unknown[] = [];
    for (const work of [() => fs.mkdirSync('/proc/none'), () => fs.readFileSync('/nowhere/at/all')]) {
      try {
        work();
      } catch (error) {
        seen.push(asUserError(error));
      }
    }
    expect(seen.map(String)).toEqual([
      expect.stringMatching(/^UserError: \/proc\/none: E[A-Z]+: .*mkdir.*; [ -~]+$/),
      expect.stringMatching(/^UserError: \/nowhere\/at\/all: ENOENT: .*; is it spelt right/),
    ]);
    const defect = new TypeError('x is not a function');
    expect(asUserError(defect)).toBe(defect);
  });

  it.each(['EROFS', 'EIO', 'EDQUOT', 'ENOSPC', 'EACCES', 'EPERM'])(
    'of any call of the store are UserErrors with the path: %s',
    (code) => {
      const calls = ['open', 'write', 'sync', 'rename', 'link', 'syncFolder', 'close', 'makeFolder'] as const;
      for (const call of calls) {
        const folder = join(temporaryFolder(), 'run');
        const broken = {
          ...nodeFileSystem,
          [call]: () => {
            throw failure(code, -5, call);
          },
        };
        const environment = { ...fakeEnvironment(10, new Map([[10, 'a']])), fs: broken };
        const error = thrownBy(() => RunFolder.create(folder, newRun, '', environment).end('complete'));
        // Without links the lock is made in place.
        if (error === null) expect([call, code]).toEqual(['link', 'EPERM']);
        else {
          expect(error, call).toBeInstanceOf(UserError);
          expect(error.message, call).toContain(folder);
          expect(error.message, call).toContain(code);
        }
      }
    },
  );

  it('on the way out do not hide the first one', () => {
    const folder = temporaryFolder();
    const broken = {
      ...nodeFileSystem,
      rename: () => {
        throw failure('EIO', -5, 'rename');
      },
      remove: () => {
        throw failure('EROFS', -30, 'unlink');
      },
    };
    expect(() => writeAtomically(broken, join(folder, 'run.json'), '{}')).toThrow(
      /run\.json: cannot be written \(EIO/,
    );
    const environment = { ...fakeEnvironment(10, new Map([[10, 'a']])), fs: broken };
    expect(() => RunFolder.create(join(folder, 'run'), newRun, '', environment)).toThrow(
      /config\.yaml: .*EIO/,
    );
    acquireLock(folder, environment).release();
  });
});

describe('a file that is removed or replaced while it is written', () => {
  it.each(['removed', 'replaced'])('is noticed at the next sync: %s', (what) => {
    const writer = gradientsWriter(temporaryFolder());
    fillGradients(writer, [1]);
    writer.flush();
    writer.sync();
    fs.rmSync(writer.path);
    if (what === 'replaced') fs.writeFileSync(writer.path, '');
    expect(() => writer.sync()).toThrow(
      `table gradients: ${writer.path} was removed or replaced while it was written; what was written since is lost`,
    );
    writer.close();
  });
});

function thrownBy(work: () => unknown): Error | null {
  try {
    work();
  } catch (error) {
    if (error instanceof Error) return error;
    throw error;
  }
  return null;
}
