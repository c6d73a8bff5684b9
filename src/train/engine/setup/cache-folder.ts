import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { SetupOptions } from './options.js';
import type { SetupSystem } from './system.js';

const PARTIAL = '.partial-';

/** Runs `work` with a folder of its own inside the cache, on the same disk as the final names. */
export async function withPartialFolder<T>(
  options: SetupOptions,
  system: SetupSystem,
  work: (partial: string) => Promise<T>,
): Promise<T> {
  // Under the lock whatever is here was left by a set-up that was interrupted.
  for (const name of await readdir(options.cacheFolder)) {
    if (!name.startsWith(PARTIAL)) continue;
    await rm(join(options.cacheFolder, name), { recursive: true, force: true });
  }
  const partial = join(options.cacheFolder, `${PARTIAL}${system.processId}-${system.now()}`);
  await mkdir(partial);
  try {
    return await work(partial);
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

/** Keeps the output of a tool; returns the path for the message. */
export async function writeLog(path: string, text: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
  return path;
}
