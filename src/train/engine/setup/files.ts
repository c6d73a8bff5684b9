import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { copyFile, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { z } from 'zod';
import type { SetupSystem } from './system.js';

/** sha256 of a file in hex, read as a stream. */
export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk);
  return hash.digest('hex');
}

/** Bytes of all files below `folder`; 0 where it does not exist. */
export async function folderSize(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const sizes = entries.map(async (entry) =>
    entry.isFile() ? ((await fileSize(join(entry.parentPath, entry.name))) ?? 0) : 0,
  );
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

/** Size of a file in bytes, undefined where there is none. Follows links. */
async function fileSize(path: string): Promise<number | undefined> {
  return (await fileIdentity(path))?.size;
}

/** Size in bytes and modification time in milliseconds, undefined where there is no file. Follows links. */
export async function fileIdentity(path: string): Promise<{ size: number; mtimeMs: number } | undefined> {
  const status = await stat(path).catch(() => undefined);
  return status?.isFile() ? { size: status.size, mtimeMs: Math.round(status.mtimeMs) } : undefined;
}

/** The value of a JSON file, undefined where the file is missing, damaged or of another format. */
export async function readJson<T>(path: string, schema: z.ZodType<T>): Promise<T | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(path, 'utf8'));
    return schema.safeParse(value).data;
  } catch {
    return undefined;
  }
}

/** Writes a JSON file so that no reader ever sees half of it. */
export async function writeJson(path: string, value: unknown, system: SetupSystem): Promise<void> {
  const draft = `${path}.${system.processId}.part`;
  await writeFile(draft, `${JSON.stringify(value, null, 2)}\n`);
  await rename(draft, path);
}

/** How a file of the cache came into a package folder. */
export type FilePlacement = 'hard link' | 'symbolic link' | 'copy';

/** Gives `existing` the name `path` too, in the cheapest way that the file systems allow. */
export async function placeFile(existing: string, path: string, system: SetupSystem): Promise<FilePlacement> {
  try {
    await system.hardLink(existing, path);
    return 'hard link';
  } catch {
    // Another file system, or one without hard links.
  }
  try {
    await system.symbolicLink(existing, path);
    return 'symbolic link';
  } catch {
    await copyFile(existing, path);
    return 'copy';
  }
}

/** Puts a finished folder under its final name, in place of what may be there. */
export async function replaceFolder(finished: string, path: string): Promise<void> {
  const old = `${finished}.old`;
  await rename(path, old).catch((error: unknown) => {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  });
  await rename(finished, path);
  await rm(old, { recursive: true, force: true });
}
