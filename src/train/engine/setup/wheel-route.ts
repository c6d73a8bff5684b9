import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { withPartialFolder } from './cache-folder.js';
import { cachedBinding, compileBinding } from './compile-binding.js';
import { cacheEntry, LIBRARY_FILES, type EnginePackage } from './layout.js';
import { cachedLibraryIsWhole, fillLibraryCache } from './library-cache.js';
import { tryLoading } from './load-check.js';
import { withLock } from './lock.js';
import type { SetupOptions } from './options.js';
import { builtFromWheel, type SetupOutcome } from './outcome.js';
import { placeLibrary } from './place-library.js';
import { RouteFailure } from './route-failure.js';
import { writeReadyStamp } from './stamp.js';
import type { SetupSystem } from './system.js';
import { requireTrustedCache } from './trusted-cache.js';

/** The wheels are built for this C library and later ones. */
const NEEDED_GLIBC = [2, 27] as const;

/**
 * Takes the native library from the Python wheel, or from the cache where an earlier set-up left it, compiles the
 * binding once for both, and checks that it loads. Throws `RouteFailure`.
 */
export async function wheelRoute(
  options: SetupOptions,
  engine: EnginePackage,
  system: SetupSystem,
): Promise<SetupOutcome> {
  checkPlatform(system);
  // Others must not be able to put their library in the place of ours.
  await mkdir(options.cacheFolder, { recursive: true, mode: 0o700 });
  await requireTrustedCache(options, system);
  return withLock(join(options.cacheFolder, '.lock'), system, () =>
    withPartialFolder(options, system, (partial) => useCache(options, engine, partial, system)),
  );
}

async function useCache(
  options: SetupOptions,
  engine: EnginePackage,
  partial: string,
  system: SetupSystem,
): Promise<SetupOutcome> {
  const entry = cacheEntry(options);
  let source: 'wheel' | 'cache' = 'cache';
  if (!(await cachedLibraryIsWhole(entry))) {
    source = 'wheel';
    await fillLibraryCache(options, partial, system);
  }
  const kept = await cachedBinding(options, engine);
  let binding = kept ?? (await compileBinding(options, engine, partial, system));
  let placement = await placeLibrary(entry, binding, engine, system);
  let result = await tryLoading(engine, options, system);
  if (!result.loads && kept !== undefined) {
    // The cache may have come from a machine with other system libraries.
    binding = await compileBinding(options, engine, partial, system);
    placement = await placeLibrary(entry, binding, engine, system);
    result = await tryLoading(engine, options, system);
  }
  if (!result.loads) {
    // Without it the engine package fails with an error; with it the process might crash.
    await rm(engine.binding, { force: true });
    throw new RouteFailure(`the compiled binding does not load: ${result.why}`, `delete ${entry}`);
  }
  await writeReadyStamp(
    engine,
    {
      obtained: 'wheel',
      libraryVersion: options.wheel.version,
      wheelPackage: options.wheel.package,
      placement,
      cacheEntry: entry,
    },
    LIBRARY_FILES,
    system,
  );
  return builtFromWheel(options.wheel.version, source, entry);
}

function checkPlatform(system: SetupSystem): void {
  const remedy = 'use Linux on x86-64 with glibc 2.27 or newer';
  if (system.platform !== 'linux' || system.architecture !== 'x64') {
    throw new RouteFailure(
      `the Python wheel route is for Linux on x86-64, and this is ${system.platform} on ${system.architecture}`,
      remedy,
    );
  }
  const version = system.glibcVersion();
  if (version === undefined) throw new RouteFailure('this Linux has no glibc', remedy);
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major < NEEDED_GLIBC[0] || (major === NEEDED_GLIBC[0] && minor < NEEDED_GLIBC[1])) {
    throw new RouteFailure(`glibc ${version} is too old for the TensorFlow wheel`, remedy);
  }
}
