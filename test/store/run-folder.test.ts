import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../data/errors.js';
import { nodeEnvironment } from '../../src/store/environment.js';
import { acquireLock, lockPath, removeLock } from '../../src/store/lock.js';
import { unlockRun } from '../../src/store/recover.js';
import { readConfig, readRunInfo, RunFolder } from '../../src/store/run-folder.js';
import { statusOfRun } from '../../src/store/run-status.js';
import { temporaryPath } from '../../src/store/temporary.js';
import {
  ended,
  failingFileSystem,
  fakeEnvironment,
  firstLine,
  newRun,
  startChild,
  temporaryFolder,
} from './support.js';

function thrownBy(work: () => unknown): Error | null {
  try {
    work();
  } catch (error) {
    if (error instanceof Error) return error;
    throw error;
  }
  return null;
}

const alive = new Map([
  [10, 'a'],
  [20, 'b'],
]);

describe('RunFolder', () => {
  it('describes the run from its start to its end', () => {
    const path = join(temporaryFolder(), 'set-inclusion', 'seed-3');
    const environment = fakeEnvironment(10, alive);
    const run = RunFolder.create(path, newRun, 'experiment: set-inclusion\n', environment);
    expect(fs.readdirSync(path).sort()).toEqual(['config.yaml', 'lock', 'run.json']);
    expect(readConfig(path)).toBe('experiment: set-inclusion\n');
    const started = '2026-01-02T03:04:05.678Z';
    expect(readRunInfo(path)).toEqual({
      ...newRun,
      formatVersion: 1,
      status: 'running',
      started,
      updated: started,
      ended: null,
      stepsDone: 0,
      failure: null,
      process: { pid: 10, host: 'here', birth: 'a', pidNamespace: 'pid:[1]' },
    });
    environment.time = new Date('2026-01-02T03:05:00.000Z');
    run.update({ stepsDone: 50 });
    expect(readRunInfo(path)).toMatchObject({ stepsDone: 50, started, updated: '2026-01-02T03:05:00.000Z' });
    run.end('failed', 'loss is NaN at step 51');
    expect(readRunInfo(path)).toMatchObject({
      status: 'failed',
      failure: 'loss is NaN at step 51',
      ended: '2026-01-02T03:05:00.000Z',
    });
    expect(fs.readdirSync(path).sort()).toEqual(['config.yaml', 'run.json']);
  });

  it('goes on with a run that is not complete', () => {
    const path = temporaryFolder();
    RunFolder.create(path, newRun, '', fakeEnvironment(10, alive)).end('interrupted');
    const run = RunFolder.resume(path, fakeEnvironment(20, alive));
    expect(readRunInfo(path)).toMatchObject({ status: 'running', ended: null, process: { pid: 20 } });
    run.end('complete');
    expect(() => RunFolder.resume(path, fakeEnvironment(20, alive))).toThrow(
      `${path}: the run is complete; start a new one`,
    );
    expect(fs.existsSync(join(path, 'lock'))).toBe(false);
  });

  it('does not write over a run, and goes on only with one', () => {
    const path = temporaryFolder();
    RunFolder.create(path, newRun, '', fakeEnvironment(10, alive)).end('complete');
    expect(() => RunFolder.create(path, newRun, '', fakeEnvironment(20, alive))).toThrow(
      `${path}: holds a run already; resume it or take another run folder`,
    );
    expect(fs.existsSync(join(path, 'lock'))).toBe(false);
    const empty = temporaryFolder();
    expect(() => RunFolder.resume(empty, fakeEnvironment(20, alive))).toThrow(
      `${empty}/run.json: is missing; is this a run folder?`,
    );
  });

  it('keeps the old description, whole, when the device is full', () => {
    const path = temporaryFolder();
    const disk = failingFileSystem(Number.POSITIVE_INFINITY);
    const run = RunFolder.create(path, newRun, '', { ...fakeEnvironment(10, alive), fs: disk });
    disk.budget = 100;
    expect(() => run.update({ stepsDone: 50 })).toThrow(UserError);
    expect(readRunInfo(path).stepsDone).toBe(0);
    expect(fs.readdirSync(path).sort()).toEqual(['config.yaml', 'lock', 'run.json']);
    disk.budget = Number.POSITIVE_INFINITY;
    run.update({ stepsDone: 51 });
    expect(readRunInfo(path).stepsDone).toBe(51);
  });
});

describe('run.json', () => {
  const write = (change: (info: Record<string, unknown>) => unknown): string => {
    const path = temporaryFolder();
    RunFolder.create(path, newRun, '', fakeEnvironment(10, alive)).end('complete');
    const file = join(path, 'run.json');
    const info = JSON.parse(fs.readFileSync(file, 'utf8')) as Record<string, unknown>;
    fs.writeFileSync(file, JSON.stringify(change(info)));
    return path;
  };

  it('is refused when it is newer, damaged or incomplete', () => {
    const cases: [string, RegExp][] = [
      [
        write((info) => ({ ...info, formatVersion: 2 })),
        /format version 2 is newer than 1.*update gradscope/,
      ],
      [write((info) => ({ ...info, status: 'finished' })), /run\.json: status: Invalid option/],
      [write(({ seed: _, ...info }) => info), /run\.json: seed: Invalid input/],
      [write(() => [1, 2]), /run\.json: .*expected object/],
    ];
    for (const [path, message] of cases) {
      expect(() => readRunInfo(path)).toThrow(UserError);
      expect(() => readRunInfo(path)).toThrow(message);
    }
    const cut = temporaryFolder();
    fs.writeFileSync(join(cut, 'run.json'), '{"formatVersion": 1, "sta');
    expect(() => readRunInfo(cut)).toThrow(
      /run\.json: not JSON \(.*restore the file or remove the run folder/,
    );
  });

  it.each([
    ['name', '../../../outside'],
    ['name', 'a/b'],
    ['name', '..'],
    ['name', '.hidden'],
    ['name', 'tiny\u001b]0;title\u0007'],
    ['experiment', '/etc'],
    ['siblings', ['../../victim-seed0']],
    ['groups', ['q/\u001b[2J']],
    ['seed', -1],
    ['stepsDone', -3],
  ])('is refused with %s %j, in one printable line', (key, value) => {
    const path = write((info) => ({ ...info, [key]: value }));
    const error = thrownBy(() => readRunInfo(path));
    expect(error).toBeInstanceOf(UserError);
    expect(String(error)).toMatch(new RegExp(`^UserError: ${path}/run\\.json: ${key}[\\d.]*: [ -~]+$`));
  });

  it('is read behind a byte order mark, and quoted in a message in one line without controls', () => {
    const path = write((info) => info);
    const file = join(path, 'run.json');
    const text = fs.readFileSync(file, 'utf8');
    fs.writeFileSync(file, `\ufeff${text}`);
    expect(readRunInfo(path)).toMatchObject({ name: 'seed-3' });
    for (const damage of ['\u001b]0;title\u0007\nsecond line', '{"a": "\n\u001b[31m', `${text}\n\u009b`]) {
      fs.writeFileSync(file, damage);
      expect(String(thrownBy(() => readRunInfo(path)))).toMatch(/^UserError: [ -~]+$/);
    }
  });

  it.skipIf(process.platform === 'win32')('is refused when it is a pipe, and not waited for', () => {
    const folder = temporaryFolder();
    execFileSync('mkfifo', [join(folder, 'run.json')]);
    expect(() => readRunInfo(folder)).toThrow(/run\.json: .*no regular file/);
  });

  it('keeps entries that another version added', () => {
    const path = write((info) => ({ ...info, status: 'interrupted', note: 'kept' }));
    RunFolder.resume(path, fakeEnvironment(20, alive)).end('complete');
    expect(readRunInfo(path)).toMatchObject({ status: 'complete', note: 'kept' });
  });
});

describe('statusOfRun', () => {
  it('tells a run whose process is gone', () => {
    const path = temporaryFolder();
    const { info } = RunFolder.create(path, newRun, '', fakeEnvironment(10, alive));
    const seenBy = (processes: Map<number, string>) =>
      statusOfRun(path, info, fakeEnvironment(20, processes));
    expect(seenBy(alive)).toEqual({ status: 'running', label: 'running' });
    const gone = { status: 'interrupted', label: 'interrupted (process gone)' };
    expect(seenBy(new Map())).toEqual(gone);
    // Another process got the id.
    expect(seenBy(new Map([[10, 'later']]))).toEqual(gone);
    expect(statusOfRun(path, { ...info, status: 'complete' }, nodeEnvironment).label).toBe('complete');
  });
});

describe('the lock', () => {
  it('clears away what killed processes left under temporary names, of checkpoints too', () => {
    const folder = temporaryFolder();
    fs.mkdirSync(`${folder}/checkpoints`);
    const [boot] = nodeEnvironment.processes.birth(process.pid)!.split(' ');
    const killed = { ...nodeEnvironment.processes, pid: 2 ** 30, birth: () => `${boot} 1` };
    for (const name of ['run.json', 'checkpoints/step-00000016.safetensors']) {
      fs.writeFileSync(temporaryPath(`${folder}/${name}`, killed), 'half');
      fs.writeFileSync(`${folder}/${name}`, 'whole');
    }
    acquireLock(folder, nodeEnvironment).release();
    expect(fs.readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()).toEqual([
      'checkpoints',
      'checkpoints/step-00000016.safetensors',
      'run.json',
    ]);
  });

  it('belongs to one process', async () => {
    const folder = temporaryFolder();
    const holder = startChild('lock-holder', folder);
    expect(await firstLine(holder)).toBe('taken');
    expect(() => acquireLock(folder, nodeEnvironment)).toThrow(
      new RegExp(
        `^run folder ${folder} is being written by process ${holder.pid} on .+ since \\d{4}-.+; wait for it or stop it$`,
      ),
    );
    expect(await firstLine(startChild('lock-holder', folder))).toMatch(
      /^BusyError: run folder .* is being written/,
    );
    holder.stdin.end();
    await ended(holder);
    acquireLock(folder, nodeEnvironment).release();
    expect(fs.readdirSync(folder)).toEqual([]);
  });

  it('is taken over from a process that was killed, by one process only', async () => {
    const folder = temporaryFolder();
    const holder = startChild('lock-holder', folder);
    expect(await firstLine(holder)).toBe('taken');
    holder.kill('SIGKILL');
    await ended(holder);
    expect(fs.readdirSync(folder)).toEqual(['lock']);
    const rivals = [1, 2, 3].map(() => startChild('lock-holder', folder));
    const lines = await Promise.all(rivals.map(firstLine));
    expect(lines.filter((line) => line === 'taken')).toHaveLength(1);
    for (const rival of rivals) rival.stdin.end();
    await Promise.all(rivals.map(ended));
    expect(fs.readdirSync(folder)).toEqual([]);
  });

  it('is not taken from a process of another machine, nor while another one takes it', () => {
    const folder = temporaryFolder();
    acquireLock(folder, fakeEnvironment(10, alive, 'elsewhere'));
    expect(() => acquireLock(folder, fakeEnvironment(20, alive))).toThrow(
      `is being written by process 10 on elsewhere since 2026-01-02T03:04:05.678Z; wait for it or stop it; a minute after its last sign of life the run can be resumed`,
    );
    const later = fakeEnvironment(20, new Map([[20, 'b']]), 'elsewhere');
    fs.writeFileSync(`${folder}/lock.takeover`, '');
    expect(() => acquireLock(folder, later)).toThrow(
      `is being taken over by another process; try again, and if there is none: npx gradscope recover --unlock ${folder}`,
    );
    fs.rmSync(`${folder}/lock.takeover`);
    const lock = acquireLock(folder, later);
    expect(fs.readdirSync(folder)).toEqual(['lock']);
    lock.release();
    lock.release();
    expect(fs.readdirSync(folder)).toEqual([]);
  });

  it('is not taken from a process in another PID namespace of this machine, until somebody says it is gone', () => {
    const folder = temporaryFolder();
    const lock = acquireLock(folder, fakeEnvironment(10, alive, 'here', 'pid:[2]'));
    const other = fakeEnvironment(20, new Map([[20, 'b']]));
    expect(() => acquireLock(folder, other)).toThrow(
      `is being written by process 10 on here, in another container or boot since 2026-01-02T03:04:05.678Z; wait for it or stop it; a minute after its last sign of life the run can be resumed`,
    );
    expect(lock.isStillOurs()).toBe(true);
    expect(removeLock(folder, other)).toBe(true);
    expect(lock.isStillOurs()).toBe(false);
    const next = acquireLock(folder, other);
    lock.release();
    expect(next.isStillOurs()).toBe(true);
    expect(() => removeLock(folder, fakeEnvironment(30, new Map([[20, 'b']])))).toThrow(
      /is being written by process 20 on here since .+; wait for it or stop it$/,
    );
    next.release();
    expect(removeLock(folder, other)).toBe(false);
  });

  it('of an earlier version is taken from a process that is gone, and shows no signs of life elsewhere', () => {
    const boot = (id: string) => fakeEnvironment(20, new Map([[20, `${id} 5`]]), 'here', 'pid:[2]');
    const folder = temporaryFolder();
    const write = (holder: object): void =>
      fs.writeFileSync(lockPath(folder), JSON.stringify({ started: '2026-01-02T03:04:05.678Z', ...holder }));
    write({ pid: 10, host: 'here', birth: 'one 77', pidNamespace: 'pid:[1]' });
    for (const id of ['one', 'two']) {
      expect(() => acquireLock(folder, boot(id))).toThrow(
        `on here, in another container or boot since 2026-01-02T03:04:05.678Z; if that process is gone: npx gradscope recover --unlock ${folder}`,
      );
    }
    // Records of earlier versions do not say their namespace.
    write({ pid: 20, host: 'here', birth: 'one 5' });
    expect(() => acquireLock(folder, boot('one'))).toThrow(/by process 20 on here since/);
    write({ pid: 10, host: 'here', birth: 'one 77' });
    acquireLock(folder, boot('one')).release();
    expect(fs.readdirSync(folder)).toEqual([]);
  });

  it.each([
    ['empty', ''],
    ['cut', '{"pid": 1'],
    ['of something else', '[1, 2]'],
  ])('that is %s is freed by the command of its message', (_, text) => {
    const folder = temporaryFolder();
    RunFolder.create(folder, newRun, '', fakeEnvironment(10, new Map()));
    for (const name of ['lock', 'lock.takeover']) fs.writeFileSync(`${folder}/${name}`, text);
    expect(() => RunFolder.resume(folder, fakeEnvironment(20, alive))).toThrow(
      `npx gradscope recover --unlock ${folder}`,
    );
    expect(unlockRun(folder, fakeEnvironment(20, alive))).toBe(true);
    expect(fs.readdirSync(folder).sort()).toEqual(['config.yaml', 'run.json']);
    expect(readRunInfo(folder).status).toBe('interrupted');
    RunFolder.resume(folder, fakeEnvironment(20, alive)).end('complete');
    expect(unlockRun(folder, fakeEnvironment(20, alive))).toBe(false);
  });

  it('has its text as soon as it has its name, on file systems with links and on those without', () => {
    for (const code of [null, 'EPERM', 'EOPNOTSUPP']) {
      const folder = temporaryFolder();
      const seen: string[] = [];
      const environment = fakeEnvironment(10, alive);
      const watched = {
        ...nodeEnvironment.fs,
        link(from: string, to: string): void {
          seen.push(fs.readFileSync(from, 'utf8'));
          if (code !== null) throw Object.assign(new Error(code), { code });
          nodeEnvironment.fs.link(from, to);
        },
      };
      acquireLock(folder, { ...environment, fs: watched });
      expect(seen).toEqual([fs.readFileSync(lockPath(folder), 'utf8')]);
      expect(fs.readdirSync(folder)).toEqual(['lock']);
    }
  });

  it('whose takeover was killed is taken over all the same', () => {
    const folder = temporaryFolder();
    acquireLock(folder, fakeEnvironment(10, alive));
    fs.copyFileSync(lockPath(folder), `${folder}/lock.takeover`);
    acquireLock(folder, fakeEnvironment(20, new Map([[20, 'b']]))).release();
    expect(fs.readdirSync(folder)).toEqual([]);
  });

  it('is given back without a word on a device that became read-only', () => {
    const folder = temporaryFolder();
    const readOnly = { ...nodeEnvironment.fs };
    const lock = acquireLock(folder, { ...fakeEnvironment(10, alive), fs: readOnly });
    readOnly.remove = () => {
      throw Object.assign(new Error('EROFS: read-only file system, unlink'), { code: 'EROFS' });
    };
    lock.release();
    expect(fs.existsSync(lockPath(folder))).toBe(true);
  });

  it('is left alone when it was just created, and not given back by one that lost it', () => {
    const folder = temporaryFolder();
    fs.writeFileSync(`${folder}/lock`, '');
    expect(() => acquireLock(folder, fakeEnvironment(20, alive))).toThrow(
      `run folder ${folder} is locked, and its lock does not say by which process; if none writes it: npx gradscope recover --unlock ${folder}`,
    );
    fs.rmSync(`${folder}/lock`);
    const lock = acquireLock(folder, fakeEnvironment(10, alive));
    fs.writeFileSync(`${folder}/lock`, 'of another');
    lock.release();
    expect(fs.existsSync(`${folder}/lock`)).toBe(true);
    expect(() => acquireLock(`${folder}/missing`, fakeEnvironment(10, alive))).toThrow(
      /cannot be created \(ENOENT/,
    );
  });
});
