import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { enginePackage, type EnginePackage } from './layout.js';
import { tryLoading } from './load-check.js';
import { officialRoute } from './official-route.js';
import type { SetupOptions } from './options.js';
import { none, readyAlready, skipped, type FailedAttempt, type SetupOutcome } from './outcome.js';
import { asRouteFailure } from './route-failure.js';
import { readStamp, stampHolds, writeFailedStamp, writeReadyStamp, type Stamp } from './stamp.js';
import type { SetupSystem } from './system.js';
import { wheelRoute } from './wheel-route.js';

const FAILURE_KEPT_MS = 24 * 3600_000;

const ROUTES = { wheel: wheelRoute, official: officialRoute } as const;
const ROUTE_NAMES = { wheel: 'Python wheel', official: 'official download' } as const;

/**
 * Makes sure that the engine package has its native library, by the first way that works: already there, from the
 * Python wheel (or the cache an earlier set-up filled); the official download, of which no hash is known, only where it
 * is asked for. Where none works the outcome says so; that is not an error, since the embedded engine takes over. A way
 * that fails is reported as one progress line.
 *
 * Costs milliseconds where a stamp shows that nothing changed since the library last loaded. Throws `UserError` where
 * the packages are not installed.
 */
export async function ensureNativeLibrary(options: SetupOptions, system: SetupSystem): Promise<SetupOutcome> {
  if (options.engine !== 'native') return skipped(options.engine);
  const engine = await enginePackage(options, system);
  const stamp = await readStamp(engine);
  const known = await alreadyKnown(stamp, engine, options, system);
  if (known !== undefined) return known;

  const route = options.official ? 'official' : 'wheel';
  let failure: FailedAttempt;
  try {
    return await ROUTES[route](options, engine, system);
  } catch (error) {
    const { message: reason, remedy } = asRouteFailure(error);
    failure = { route, reason, remedy };
    system.progress.note(`native TensorFlow, ${ROUTE_NAMES[route]}: ${reason}`);
  }
  if (options.official) {
    // The library that was there before is back in its place.
    const usual = { ...options, official: false, check: false };
    return (await alreadyKnown(stamp, engine, usual, system)) ?? none([failure], undefined);
  }
  // Where even this file cannot be written the next set-up just tries again.
  await writeFailedStamp(engine, options, [failure], system).catch(() => {});
  return none([failure], undefined);
}

/** The outcome where nothing has to be done: the library loads, or has just failed in every way. */
async function alreadyKnown(
  stamp: Stamp | undefined,
  engine: EnginePackage,
  options: SetupOptions,
  system: SetupSystem,
): Promise<SetupOutcome | undefined> {
  if (stamp?.state === 'ready' && (await stampHolds(stamp, engine, options))) {
    if (!options.check) return readyAlready(stamp.libraryVersion);
    const result = await tryLoading(engine, options, system);
    if (result.loads) return readyAlready(stamp.libraryVersion);
    system.progress.note(`native TensorFlow does not load and is set up again: ${result.why}`);
    return undefined;
  }
  const unknownOrigin = stamp?.state !== 'ready' || stamp.obtained !== 'wheel';
  if (unknownOrigin && !options.official && !options.wheel.named) {
    const found = await adoptBinding(engine, options, system);
    if (found !== undefined) return found;
  }
  if (stamp?.state !== 'failed' || !options.automatic || options.official) return undefined;
  const age = system.now() - stamp.atMs;
  const same = stamp.wheelPackage === options.wheel.package && stamp.wheelVersion === options.wheel.version;
  return same && age < FAILURE_KEPT_MS ? none(stamp.attempts, age) : undefined;
}

/** Accepts a binding that is there without our stamp, such as one from npm's install script, if it loads. */
async function adoptBinding(
  engine: EnginePackage,
  options: SetupOptions,
  system: SetupSystem,
): Promise<SetupOutcome | undefined> {
  if ((await stat(engine.binding).catch(() => undefined)) === undefined) return undefined;
  const result = await tryLoading(engine, options, system);
  if (!result.loads) return undefined;
  const names = await readdir(join(engine.deps, 'lib')).catch(() => []);
  const facts = { obtained: 'other', libraryVersion: result.version } as const;
  await writeReadyStamp(engine, facts, names, system);
  return readyAlready(result.version);
}
