import { join } from 'node:path';
import { enginePackage } from './layout.js';
import { readManifest } from './library-cache.js';
import type { SetupOptions } from './options.js';
import { readStamp, stampHolds } from './stamp.js';
import type { SetupSystem } from './system.js';

/** What is known of the native library without loading it. */
export type NativeLibraryStatus =
  | {
      readonly installed: true;
      /** TensorFlow version, such as `2.21.0`. */
      readonly libraryVersion: string;
      /** `other`: built or downloaded by somebody else, found to load. */
      readonly obtained: 'wheel' | 'official' | 'other';
      /** Folder the binding loads the library from. */
      readonly libraryFolder: string;
      readonly binding: string;
      /** Version of the JavaScript package that the binding belongs to. */
      readonly packageVersion: string;
      /** When the library was put there, in ISO 8601. */
      readonly at: string;
      /** How it came from the cache, and what the cache says of its wheel; only with `wheel`. */
      readonly placement?: 'hard link' | 'symbolic link' | 'copy';
      readonly cacheEntry?: string;
      readonly wheel?: {
        readonly fileName: string;
        readonly sha256: string;
        readonly verifiedBy: 'pinned hash' | 'index' | 'pip';
      };
    }
  | {
      readonly installed: false;
      /** One line: nothing tried yet, files changed, or why the last set-up failed. */
      readonly reason: string;
      readonly cacheFolder: string;
    };

/**
 * Where the native library is, which version, and how it was obtained. Reads stamps and manifests only; whether it
 * really loads is the business of `ensureNativeLibrary` with `check`. Throws `UserError` where the packages are not
 * installed.
 */
export async function nativeLibraryStatus(
  options: SetupOptions,
  system: SetupSystem,
): Promise<NativeLibraryStatus> {
  const engine = await enginePackage(options, system);
  const stamp = await readStamp(engine);
  const { cacheFolder } = options;
  if (stamp === undefined) {
    return { installed: false, reason: 'not set up yet: run `npx gradscope setup`', cacheFolder };
  }
  if (stamp.state === 'failed') {
    return { installed: false, reason: stamp.attempts.map(({ reason }) => reason).join('; '), cacheFolder };
  }
  if (!(await stampHolds(stamp, engine, options))) {
    const reason = 'the installed library is not the one asked for, or changed: run `npx gradscope setup`';
    return { installed: false, reason, cacheFolder };
  }
  const manifest = stamp.cacheEntry === undefined ? undefined : await readManifest(stamp.cacheEntry);
  return {
    installed: true,
    libraryVersion: stamp.libraryVersion,
    obtained: stamp.obtained,
    libraryFolder: join(engine.deps, 'lib'),
    binding: engine.binding,
    packageVersion: engine.version,
    at: stamp.at,
    ...(stamp.placement && { placement: stamp.placement }),
    ...(stamp.cacheEntry && { cacheEntry: stamp.cacheEntry }),
    ...(manifest && { wheel: manifest.wheel }),
  };
}
