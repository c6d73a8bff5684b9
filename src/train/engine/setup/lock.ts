import { link, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { RouteFailure } from './route-failure.js';
import { withProgress } from './progress.js';
import type { SetupSystem } from './system.js';

const HEARTBEAT_MS = 10_000;
/** Six missed heartbeats. */
const STALE_AFTER_MS = 60_000;
const POLL_MS = 500;
const GIVE_UP_AFTER_MS = 30 * 60_000;

/** Locks of this process, which its own number does not tell apart from those of an earlier process. */
const heldHere = new Set<string>();

const ownerSchema = z.object({ processId: z.number(), hostName: z.string(), token: z.string() });

/**
 * Runs `work` while holding the lock file `path`; waits while another set-up holds it. A lock is stale when its
 * process is gone or its heartbeat has stopped, and is then taken over.
 *
 * The lock saves double work. It is not what keeps the cache whole: every folder is finished under a name of its own
 * and then renamed, so that even two holders (after a machine was suspended, say) cannot mix their files.
 */
export async function withLock<T>(path: string, system: SetupSystem, work: () => Promise<T>): Promise<T> {
  const token = randomUUID();
  if (!(await tryToLock(path, token, system))) {
    await withProgress(
      system,
      'waiting for another set-up to finish',
      () => '',
      () => waitForLock(path, token, system),
    );
  }
  const stop = system.every(HEARTBEAT_MS, () => {
    const now = system.now() / 1000;
    void utimes(path, now, now).catch(() => {});
  });
  try {
    return await work();
  } finally {
    stop();
    heldHere.delete(token);
    if ((await readOwner(path))?.token === token) await rm(path, { force: true });
  }
}

async function waitForLock(path: string, token: string, system: SetupSystem): Promise<void> {
  const start = system.now();
  do {
    if (await isStale(path, system)) await removeStale(path, token, system);
    else await system.sleep(POLL_MS);
    if (system.now() - start > GIVE_UP_AFTER_MS) {
      throw new RouteFailure(
        `another set-up has held ${path} for half an hour`,
        'end that set-up or delete the file',
      );
    }
  } while (!(await tryToLock(path, token, system)));
}

async function tryToLock(path: string, token: string, system: SetupSystem): Promise<boolean> {
  const owner = { processId: system.processId, hostName: system.hostName, token };
  try {
    await writeFile(path, JSON.stringify(owner), { flag: 'wx' });
    // The heartbeat is compared with the same clock that set it.
    await utimes(path, system.now() / 1000, system.now() / 1000);
    heldHere.add(token);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

async function isStale(path: string, system: SetupSystem): Promise<boolean> {
  const owner = await readOwner(path);
  if (owner?.hostName === system.hostName) {
    // A container started anew may give this process the number of the one that was ended.
    const mine = owner.processId === system.processId;
    if (mine ? !heldHere.has(owner.token) : !system.isRunning(owner.processId)) return true;
  }
  const status = await stat(path).catch(() => undefined);
  return status !== undefined && system.now() - status.mtimeMs > STALE_AFTER_MS;
}

/** Of several waiting processes one wins the rename; one that caught a new lock instead puts it back. */
async function removeStale(path: string, token: string, system: SetupSystem): Promise<void> {
  const aside = `${path}.${token}`;
  try {
    await rename(path, aside);
  } catch {
    return;
  }
  if (!(await isStale(aside, system))) await link(aside, path).catch(() => {});
  await rm(aside, { force: true });
}

/** The owner, undefined where the file is gone or not written yet. */
async function readOwner(path: string): Promise<z.infer<typeof ownerSchema> | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(path, 'utf8'));
    return ownerSchema.safeParse(value).data;
  } catch {
    return undefined;
  }
}
