import { chmod, lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheEntry } from './layout.js';
import type { SetupOptions } from './options.js';
import { RouteFailure } from './route-failure.js';
import type { SetupSystem } from './system.js';

/** Write permission of the group and of everybody. */
const OTHERS_WRITE = 0o022;
const ANYONE = 0o002;

/**
 * Makes sure that nobody but this user and root can change what the cache holds: a library from it is run. What belongs
 * to this user and may be written by its group is closed to the group (a umask of 002 leaves it open). Throws
 * `RouteFailure` for what belongs to others, or what everybody may write.
 */
export async function requireTrustedCache(options: SetupOptions, system: SetupSystem): Promise<void> {
  await requireTrusted(options.cacheFolder, system);
  await requireTrustedTree(cacheEntry(options), system);
}

async function requireTrustedTree(folder: string, system: SetupSystem): Promise<void> {
  const there = await requireTrusted(folder, system);
  if (!there) return;
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    // Links of the layout point beside themselves, to files that are looked at themselves.
    if (entry.isSymbolicLink()) continue;
    if (entry.isDirectory()) await requireTrustedTree(path, system);
    else await requireTrusted(path, system);
  }
}

/** Returns whether there is anything at a path. */
async function requireTrusted(path: string, { userId }: SetupSystem): Promise<boolean> {
  const status = await lstat(path).catch(() => undefined);
  if (status === undefined) return false;
  if (userId === undefined) return true;
  const remedy = 'name a folder of your own in GRADSCOPE_CACHE, or remove that one';
  const isOurs = status.uid === userId || status.uid === 0;
  if (!isOurs) {
    throw new RouteFailure(
      `${path} belongs to another user (${status.uid}), who could change the library`,
      remedy,
    );
  }
  if (status.isSymbolicLink() || (status.mode & OTHERS_WRITE) === 0) return true;
  if ((status.mode & ANYONE) !== 0) {
    throw new RouteFailure(`everybody may write ${path}, and so change the library that is run`, remedy);
  }
  await chmod(path, status.mode & 0o7777 & ~OTHERS_WRITE);
  return true;
}
