import fs from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { BusyError } from '../../data/errors.js';
import type { Environment } from '../../src/store/environment.js';
import { nodeEnvironment } from '../../src/store/environment.js';
import { threadHeartbeat } from '../../src/store/heartbeat.js';
import { acquireLock } from '../../src/store/lock.js';
import { RunFolder } from '../../src/store/run-folder.js';
import type { RunInfo } from '../../src/store/run-info.js';
import { statusOfRun } from '../../src/store/run-status.js';
import { settleLocks } from '../../src/store/settle-locks.js';
import { MemoryFileSystem, systemError } from './memory-file-system.js';
import { newRun, temporaryFolder } from './support.js';

/** Machines with one file system and one time; who lives gives a sign of life every ten seconds of it. */
class World {
  time = 0;
  readonly fs = new MemoryFileSystem(() => this.time);
  private readonly beating = new Map<string, { readonly path: string; beats: number }>();
  private tokens = 0;

  /** A process of a machine, and what kills it or cuts it off. */
  process(host: string, pid: number, more: Partial<Environment> = {}): Environment & { stop(): void } {
    const own = new Set<string>();
    let isRunning = true;
    return {
      fs: this.fs,
      processes: {
        pid,
        host,
        pidNamespace: 'pid:[1]',
        birth: (id) => (id === pid && isRunning ? `${host}-boot ${id}` : null),
      },
      now: () => new Date(this.time),
      // Nobody's clock agrees with another's.
      elapsed: () => this.time + pid * 1e6,
      sleep: async (ms) => this.pass(ms),
      token: () => `token-${++this.tokens}`,
      heartbeat: (path, holder) => {
        this.beating.set(holder, { path, beats: 0 });
        own.add(holder);
        return () => this.beating.delete(holder);
      },
      job: null,
      ...more,
      stop: () => {
        isRunning = false;
        for (const holder of own) this.beating.delete(holder);
      },
    };
  }

  pass(ms: number): void {
    const before = Math.floor(this.time / 10_000);
    this.time += ms;
    if (Math.floor(this.time / 10_000) === before) return;
    for (const [holder, own] of this.beating) {
      const file = this.fs.files.get(own.path);
      if (file === undefined || !Buffer.from(file.bytes).toString().startsWith(`${holder}\n`)) continue;
      const count = Buffer.from(String(++own.beats).padStart(10, '0'));
      const fd = this.fs.open(own.path, 'change');
      this.fs.write(fd, [count], Buffer.byteLength(holder) + 1);
      this.fs.close(fd);
    }
  }
}

let world: World;
beforeEach(() => void (world = new World()));

/** Waits for what is known of a folder, then takes it; gives how long that took, ms. */
async function take(folder: string, environment: Environment): Promise<number> {
  const start = world.time;
  await settleLocks([folder], environment);
  acquireLock(folder, environment);
  return world.time - start;
}

describe('a lock of another machine', () => {
  it('is left to a process that shows signs of life, once one is seen', async () => {
    acquireLock('run', world.process('n1', 1, { job: 'Slurm job 17_3' }));
    const other = world.process('n2', 2);
    const start = world.time;
    await expect(take('run', other)).rejects.toThrow(
      /^run folder run is being written by process 1 on n1 \(Slurm job 17_3\) since .*; wait for it or stop it; a minute after its last/,
    );
    await expect(take('run', other)).rejects.toBeInstanceOf(BusyError);
    expect(world.time - start).toBeLessThanOrEqual(10_000);
  });

  it('is taken over after a minute without one, and not before', async () => {
    const lost = world.process('n1', 1);
    const lock = acquireLock('run', lost);
    world.pass(25_000);
    lost.stop();
    const took = await take('run', world.process('n2', 2));
    expect(took).toBeGreaterThanOrEqual(60_000);
    expect(took).toBeLessThan(62_000);
    expect(lock.isStillOurs()).toBe(false);
    lock.release();
    expect([...world.fs.files.keys()]).toEqual(['run/lock']);
  });

  it('is not watched again by who saw it before', async () => {
    const holder = world.process('n1', 1);
    acquireLock('run', holder);
    const other = world.process('n2', 2);
    await expect(take('run', other)).rejects.toThrow(BusyError);
    const [before] = [world.time];
    await expect(take('run', other)).rejects.toThrow(BusyError);
    expect(world.time).toBe(before);
    holder.stop();
    // It does other work meanwhile.
    world.pass(300_000);
    expect(await take('run', other)).toBeLessThan(2_000);
  });

  it('of several folders is waited for once', async () => {
    const lost = world.process('n1', 1);
    for (const folder of ['a', 'b', 'c']) acquireLock(folder, lost);
    lost.stop();
    acquireLock('living', world.process('n3', 3));
    const messages: string[] = [];
    const start = world.time;
    const other = world.process('n2', 2);
    await settleLocks(['a', 'b', 'c', 'living', 'free'], other, (text) => messages.push(text));
    expect(world.time - start).toBeLessThan(62_000);
    for (const folder of ['a', 'b', 'c', 'free']) acquireLock(folder, other);
    expect(() => acquireLock('living', other)).toThrow(BusyError);
    expect(messages).toEqual([
      'waiting for a sign of life of process 1 on n1, which holds a and 2 other run folders; what nobody holds is continued in a minute',
    ]);
  });

  it('is taken by one of two that saw it silent', async () => {
    const lost = world.process('n1', 1);
    acquireLock('run', lost);
    lost.stop();
    const rivals = [world.process('n2', 2), world.process('n3', 3)];
    await Promise.all(rivals.map((own) => settleLocks(['run'], own)));
    const first = acquireLock('run', rivals[0]!);
    // The second saw the lock of the lost one, and finds another's now.
    await expect(take('run', rivals[1]!)).rejects.toThrow(/process 2 on n2/);
    expect(first.isStillOurs()).toBe(true);
  });

  it('whose takeover was killed on a third machine is taken over all the same', async () => {
    const lost = world.process('n1', 1);
    acquireLock('run', lost);
    const guard = world.process('n3', 3);
    acquireLock('elsewhere', guard);
    world.fs.link('elsewhere/lock', 'run/lock.takeover');
    lost.stop();
    guard.stop();
    await take('run', world.process('n2', 2));
    expect(world.fs.list('run')).toEqual(['lock']);
  });

  it('that says nothing is taken over after a minute too; of an earlier version never', async () => {
    const other = world.process('n2', 2);
    acquireLock('damaged', other).release();
    world.fs.open('damaged/lock', 'new');
    expect(await take('damaged', other)).toBeGreaterThanOrEqual(60_000);
    const old = { pid: 7, host: 'n1', birth: 'n1-boot 7', pidNamespace: 'pid:[1]', started: '2026' };
    const fd = world.fs.open('old/lock', 'new');
    world.fs.write(fd, [Buffer.from(JSON.stringify(old))], 0);
    const start = world.time;
    await expect(take('old', other)).rejects.toThrow(
      /if that process is gone: npx gradscope recover --unlock/,
    );
    expect(world.time).toBe(start);
  });

  it('that a network file system calls stale is none', async () => {
    const stale = new MemoryFileSystem(() => world.time);
    const { readText } = stale;
    stale.readText = (path) => {
      if (stale.files.has(path)) return readText(path);
      // As Node gives it: without a name.
      throw Object.assign(systemError('UNKNOWN'), { code: undefined, errno: -116 });
    };
    const environment = world.process('n2', 2, { fs: stale });
    await take('run', environment);
    expect(stale.list('run')).toEqual(['lock']);
  });
});

describe('a process of this machine', () => {
  it('is looked up, without waiting', async () => {
    const own = world.process('n1', 1);
    const lock = acquireLock('run', own);
    const beside = world.process('n1', 2, {
      processes: {
        ...own.processes,
        pid: 2,
        birth: (id) => (id === 2 ? 'n1-boot 2' : own.processes.birth(id)),
      },
    });
    await expect(take('run', beside)).rejects.toThrow(/process 1 on n1 since .*; wait for it or stop it$/);
    expect(world.time).toBe(0);
    own.stop();
    expect(await take('run', beside)).toBe(0);
    expect(lock.isStillOurs()).toBe(false);
  });

  it.each([
    ['in another container', { pidNamespace: 'pid:[2]', birth: () => 'n1-boot 2' }],
    [
      'of another boot, or another machine of that name',
      { pidNamespace: 'pid:[1]', birth: () => 'other-boot 2' },
    ],
  ])('%s is watched', async (_, processes) => {
    const holder = world.process('n1', 1);
    acquireLock('run', holder);
    const other = world.process('n1', 2, { processes: { pid: 2, host: 'n1', ...processes } });
    await expect(take('run', other)).rejects.toThrow(/process 1 on n1, in another container or boot since/);
    holder.stop();
    // A sign of life was seen just now.
    await expect(take('run', other)).rejects.toThrow(BusyError);
    world.pass(60_000);
    expect(await take('run', other)).toBeLessThan(2_000);
  });
});

describe('a process that was cut off', () => {
  const lose = async (): Promise<{ lost: RunFolder; found: RunFolder }> => {
    const cutOff = world.process('n1', 1);
    const lost = RunFolder.create('run', newRun, 'name: x\n', cutOff);
    const stream = world.fs.open('run/steps.arrows', 'new');
    world.fs.write(stream, [Buffer.from('rows')], 0);
    cutOff.stop();
    const taker = world.process('n2', 2);
    await settleLocks(['run'], taker);
    return { lost, found: RunFolder.resume('run', taker) };
  };
  const line = 'run: lost the folder: process 2 on n2 has taken it over; nothing more is written';

  it('writes nothing more, and says so in one line', async () => {
    const { lost, found } = await lose();
    const before = world.fs.readText('run/run.json');
    const file = world.fs.open('run/checkpoint', 'new');
    for (const work of [
      () => lost.update({ stepsDone: 7 }),
      () => lost.end('complete'),
      () => lost.fs.open('run/new', 'new'),
      () => lost.fs.write(file, [Buffer.from('late')], 0),
      () => lost.fs.truncate(file, 0),
      () => lost.fs.rename('run/checkpoint', 'run/other'),
      () => lost.requireOwn(),
    ]) {
      expect(work).toThrow(line);
      expect(work).toThrow(BusyError);
    }
    expect(world.fs.readText('run/run.json')).toBe(before);
    found.update({ stepsDone: 8 });
    found.end('complete');
  });

  it('reaches no stream of who took it over with what it had in hand', async () => {
    const cutOff = world.process('n1', 1);
    RunFolder.create('run', newRun, '', cutOff);
    const stream = world.fs.open('run/steps.arrows', 'new');
    world.fs.write(stream, [Buffer.from('rows')], 0);
    cutOff.stop();
    const taker = world.process('n2', 2);
    await settleLocks(['run'], taker);
    RunFolder.resume('run', taker);
    world.fs.write(stream, [Buffer.from(' and late ones')], 4);
    expect(world.fs.readText('run/steps.arrows')).toBe('rows');
  });

  it('that said how it ended has nothing in hand: its streams stay', () => {
    RunFolder.create('run', newRun, '', world.process('n1', 1)).end('interrupted');
    const stream = world.fs.open('run/steps.arrows', 'new');
    RunFolder.resume('run', world.process('n2', 2));
    expect(world.fs.isAt(stream, 'run/steps.arrows')).toBe(true);
  });
});

describe('the status of a run', () => {
  const infoOf = (): RunInfo => JSON.parse(world.fs.readText('run/run.json')) as RunInfo;

  it('is that of its process, or of its lock where that cannot be looked up', () => {
    const holder = world.process('n1', 1);
    const run = RunFolder.create('run', newRun, '', holder);
    const far = world.process('n2', 2);
    const seen = () => statusOfRun('run', infoOf(), far);
    expect(statusOfRun('run', infoOf(), holder)).toEqual({ status: 'running', label: 'running' });
    world.pass(600_000);
    expect(seen()).toEqual({ status: 'running', label: 'running on n1' });
    holder.stop();
    expect(statusOfRun('run', infoOf(), holder).label).toBe('interrupted (process gone)');
    world.pass(100_000);
    expect(seen().status).toBe('running');
    world.pass(640_000);
    expect(seen()).toEqual({ status: 'interrupted', label: 'interrupted (no sign of life for 12 min)' });
    world.pass(4 * 3_600_000);
    expect(seen().label).toBe('interrupted (no sign of life for 4 h 12 min)');
    world.fs.remove('run/lock');
    expect(seen().label).toBe('interrupted (process gone)');
    run.release();
  });
});

describe('signs of life', () => {
  it('come from a thread, while the main thread does something else, until the lock is given back', async () => {
    const folder = temporaryFolder();
    const environment = { ...nodeEnvironment, heartbeat: threadHeartbeat(20) };
    const lock = acquireLock(folder, environment);
    const path = join(folder, 'lock');
    const first = fs.readFileSync(path, 'utf8');
    while (fs.readFileSync(path, 'utf8') === first) await setTimeout(5);
    const [holder] = first.split('\n');
    // Without a look at the event loop.
    const before = fs.readFileSync(path, 'utf8');
    let after = before;
    for (const end = performance.now() + 5_000; after === before && performance.now() < end;)
      after = fs.readFileSync(path, 'utf8');
    expect(after).toMatch(/^\{.*\}\n\d{10}\n$/);
    expect(Number(after.split('\n')[1])).toBeGreaterThan(Number(before.split('\n')[1]));
    expect(after.split('\n')[0]).toBe(holder);
    expect(lock.isStillOurs()).toBe(true);
    // Another's lock is left as it is.
    const others = first.replace('"token":"', '"token":"x');
    fs.writeFileSync(path, others);
    await setTimeout(100);
    expect(fs.readFileSync(path, 'utf8')).toBe(others);
    expect(lock.isStillOurs()).toBe(false);
    lock.release();
    expect(fs.existsSync(path)).toBe(true);
  });
});
