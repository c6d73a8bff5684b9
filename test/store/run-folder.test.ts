import fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../data/errors.js';
import { nodeEnvironment } from '../../src/store/environment.js';
import { listRuns } from '../../src/store/list-runs.js';
import { acquireLock } from '../../src/store/lock.js';
import { readConfig, readRunInfo, RunFolder } from '../../src/store/run-folder.js';
import { effectiveStatus } from '../../src/store/run-info.js';
import {
  ended,
  failingFileSystem,
  fakeEnvironment,
  firstLine,
  newRun,
  startChild,
  temporaryFolder,
} from './support.js';

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

  it('keeps entries that another version added', () => {
    const path = write((info) => ({ ...info, status: 'interrupted', note: 'kept' }));
    RunFolder.resume(path, fakeEnvironment(20, alive)).end('complete');
    expect(readRunInfo(path)).toMatchObject({ status: 'complete', note: 'kept' });
  });
});

describe('effectiveStatus', () => {
  it('tells a run whose process is gone', () => {
    const path = temporaryFolder();
    const { info } = RunFolder.create(path, newRun, '', fakeEnvironment(10, alive));
    const seenBy = (processes: Map<number, string>, host = 'here') =>
      effectiveStatus(info, fakeEnvironment(20, processes, host).processes);
    expect(seenBy(alive)).toEqual({ status: 'running', label: 'running' });
    const gone = { status: 'interrupted', label: 'interrupted (process gone)' };
    expect(seenBy(new Map())).toEqual(gone);
    // Another process got the id.
    expect(seenBy(new Map([[10, 'later']]))).toEqual(gone);
    expect(seenBy(new Map(), 'elsewhere')).toEqual({ status: 'running', label: 'running on here' });
    expect(effectiveStatus({ ...info, status: 'complete' }, nodeEnvironment.processes).label).toBe(
      'complete',
    );
  });
});

describe('the lock', () => {
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
      /^UserError: run folder .* is being written/,
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
      `is being written by process 10 on elsewhere since 2026-01-02T03:04:05.678Z; if that process is gone: npx gradscope recover --unlock ${folder}`,
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

describe('listRuns', () => {
  it('finds runs at any of three levels, and says which cannot be read and why', async () => {
    const root = temporaryFolder();
    const add = (path: string) => RunFolder.create(join(root, path), newRun, '', fakeEnvironment(10, alive));
    add('set-inclusion/seed-3').end('complete');
    add('set-inclusion/seed-4');
    add('single').end('interrupted');
    fs.mkdirSync(join(root, 'batch-size/seed-1'), { recursive: true });
    fs.writeFileSync(join(root, 'batch-size/seed-1/run.json'), '{');
    fs.mkdirSync(join(root, 'batch-size/seed-2'));
    fs.writeFileSync(join(root, 'batch-size/seed-2/steps.arrows'), '');
    fs.mkdirSync(join(root, 'empty/deeper/deepest'), { recursive: true });
    fs.writeFileSync(join(root, 'notes.txt'), '');
    const found = await listRuns(root);
    expect(
      found.map(({ path, info, error }) => [path.slice(root.length + 1), info?.status ?? error?.message]),
    ).toEqual([
      ['batch-size/seed-1', expect.stringMatching(/seed-1\/run\.json: not JSON/)],
      ['batch-size/seed-2', `${root}/batch-size/seed-2/run.json: is missing`],
      ['set-inclusion/seed-3', 'complete'],
      ['set-inclusion/seed-4', 'running'],
      ['single', 'interrupted'],
    ]);
    expect(await listRuns(join(root, 'single'))).toHaveLength(1);
    await expect(listRuns(join(root, 'missing'))).rejects.toThrow(/missing: cannot be read \(ENOENT/);
  });
});
