import { existsSync } from 'node:fs';
import { rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ensureNativeLibrary } from '../../../../src/train/engine/setup/index.js';
import { withLock } from '../../../../src/train/engine/setup/lock.js';
import { FakeMachine } from './fake-machine.js';

let machine: FakeMachine;
let path: string;
beforeEach(async () => {
  machine = await FakeMachine.create();
  path = join(machine.root, 'lock');
});
afterEach(() => rm(machine.root, { recursive: true }));

/** The same machine seen by another process. */
const process = (processId: number) => ({ ...machine.system, processId });

async function heldBy(owner: { processId: number; hostName: string }) {
  await writeFile(path, JSON.stringify({ ...owner, token: 'theirs' }));
  await utimes(path, machine.clock / 1000, machine.clock / 1000);
}

test('one at a time', async () => {
  machine.running.add(1).add(2).add(3);
  let inside = 0;
  let most = 0;
  const work = async () => {
    most = Math.max(most, ++inside);
    await new Promise((resolve) => setTimeout(resolve, 20));
    inside -= 1;
    return 'done';
  };
  const results = await Promise.all([1, 2, 3].map((id) => withLock(path, process(id), work)));
  expect(results).toEqual(['done', 'done', 'done']);
  expect(most).toBe(1);
  expect(existsSync(path)).toBe(false);
});

test('two locks of one process exclude each other too', async () => {
  const order: string[] = [];
  const work = (name: string) => async () => {
    order.push(name);
    await new Promise((resolve) => setTimeout(resolve, 10));
    order.push(name);
  };
  await Promise.all([withLock(path, process(1), work('a')), withLock(path, process(1), work('b'))]);
  expect(order.join('')).toMatch(/^(aabb|bbaa)$/);
});

test('released when the work fails', async () => {
  await expect(withLock(path, process(1), () => Promise.reject(new Error('x')))).rejects.toThrow('x');
  expect(existsSync(path)).toBe(false);
});

test.each([
  ['a process that is gone', { processId: 5, hostName: 'here' }],
  ['an earlier process with our number', { processId: 1, hostName: 'here' }],
])('%s loses its lock at once', async (_what, owner) => {
  await heldBy(owner);
  const start = machine.clock;
  await withLock(path, process(1), async () => {});
  expect(machine.clock).toBe(start);
});

test('a process on another machine loses its lock when its heartbeat stops', async () => {
  await heldBy({ processId: 5, hostName: 'elsewhere' });
  const start = machine.clock;
  await withLock(path, process(1), async () => {});
  expect(machine.clock - start).toBeGreaterThanOrEqual(60_000);
  expect(machine.clock - start).toBeLessThan(70_000);
});

test('a lock file without contents counts as held until it is old', async () => {
  await writeFile(path, '');
  await utimes(path, machine.clock / 1000, machine.clock / 1000);
  const start = machine.clock;
  await withLock(path, process(1), async () => {});
  expect(machine.clock - start).toBeGreaterThanOrEqual(60_000);
});

test('the heartbeat keeps the lock of a long work', async () => {
  machine.running.add(1);
  await withLock(path, process(1), async () => {
    await machine.pass(120_000);
    const start = machine.clock;
    const other = withLock(path, { ...process(2), hostName: 'elsewhere' }, async () => machine.clock);
    await machine.pass(5000);
    await rm(path);
    expect((await other) - start).toBeGreaterThanOrEqual(5000);
  });
});

test('two set-ups at once download once', async () => {
  machine.running.add(1).add(2);
  const options = machine.options();
  const outcomes = await Promise.all([1, 2].map((id) => ensureNativeLibrary(options, process(id))));
  expect(outcomes.map(({ kind }) => kind)).toEqual(['built-from-wheel', 'built-from-wheel']);
  expect(machine.calls.filter((call) => call === 'pipDownload')).toHaveLength(1);
});
