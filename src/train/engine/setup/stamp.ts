import { join } from 'node:path';
import { z } from 'zod';
import { fileIdentity, readJson, writeJson } from './files.js';
import type { EnginePackage } from './layout.js';
import type { SetupOptions } from './options.js';
import type { SetupSystem } from './system.js';

const FORMAT = 1;

const identity = z.strictObject({ size: z.number(), mtimeMs: z.number() });
const attempt = z.strictObject({
  route: z.enum(['wheel', 'official']),
  reason: z.string(),
  remedy: z.string(),
});

const readyStamp = z.strictObject({
  format: z.literal(FORMAT),
  state: z.literal('ready'),
  packageVersion: z.string(),
  /** `other`: a binding that somebody else built and that loads. */
  obtained: z.enum(['wheel', 'official', 'other']),
  libraryVersion: z.string(),
  wheelPackage: z.string().optional(),
  placement: z.enum(['hard link', 'symbolic link', 'copy']).optional(),
  cacheEntry: z.string().optional(),
  binding: identity,
  /** Library files below `deps/lib`. */
  library: z.record(z.string(), identity),
  at: z.string(),
});

const failedStamp = z.strictObject({
  format: z.literal(FORMAT),
  state: z.literal('failed'),
  packageVersion: z.string(),
  wheelPackage: z.string(),
  wheelVersion: z.string(),
  attempts: z.tuple([attempt], attempt),
  atMs: z.number(),
});

const stampSchema = z.discriminatedUnion('state', [readyStamp, failedStamp]);

/** What the last set-up left in the engine package: a library whose binding loaded, or why there is none. */
export type Stamp = z.infer<typeof stampSchema>;
export type ReadyStamp = z.infer<typeof readyStamp>;
export type FailedStamp = z.infer<typeof failedStamp>;

/** The stamp of a package, undefined where there is none of this format and package version. */
export async function readStamp(engine: EnginePackage): Promise<Stamp | undefined> {
  const stamp = await readJson(engine.stamp, stampSchema);
  return stamp?.packageVersion === engine.version ? stamp : undefined;
}

/**
 * True when the files are still those that were loaded when the stamp was written, and the library is the one asked
 * for. Reads no file contents, so that it costs milliseconds.
 */
export async function stampHolds(
  stamp: ReadyStamp,
  engine: EnginePackage,
  options: SetupOptions,
): Promise<boolean> {
  if (options.official && stamp.obtained !== 'official') return false;
  if (stamp.obtained === 'wheel') {
    if (stamp.wheelPackage !== options.wheel.package) return false;
    if (stamp.libraryVersion !== options.wheel.version) return false;
  } else if (options.wheel.named) return false;
  const files: [string, z.infer<typeof identity>][] = [[engine.binding, stamp.binding]];
  for (const [name, expected] of Object.entries(stamp.library)) {
    files.push([join(engine.deps, 'lib', name), expected]);
  }
  for (const [path, expected] of files) {
    const found = await fileIdentity(path);
    if (found?.size !== expected.size || found.mtimeMs !== expected.mtimeMs) return false;
  }
  return true;
}

/** What is recorded of a library whose binding has just loaded. */
export type ReadyFacts = Pick<ReadyStamp, 'obtained' | 'libraryVersion'> &
  Partial<Pick<ReadyStamp, 'wheelPackage' | 'placement' | 'cacheEntry'>>;

/** Records that the binding loads. `libraryNames` are the files below `deps/lib` that it needs. */
export async function writeReadyStamp(
  engine: EnginePackage,
  facts: ReadyFacts,
  libraryNames: readonly string[],
  system: SetupSystem,
): Promise<void> {
  const binding = await fileIdentity(engine.binding);
  if (binding === undefined) throw new Error(`${engine.binding}: vanished after it was loaded`);
  const library: ReadyStamp['library'] = {};
  for (const name of libraryNames) {
    const found = await fileIdentity(join(engine.deps, 'lib', name));
    if (found !== undefined) library[name] = found;
  }
  const stamp: ReadyStamp = {
    format: FORMAT,
    state: 'ready',
    packageVersion: engine.version,
    ...facts,
    binding,
    library,
    at: new Date(system.now()).toISOString(),
  };
  await writeJson(engine.stamp, stamp, system);
}

/** Records that no route worked, so that the next automatic set-up need not wait for the network again. */
export async function writeFailedStamp(
  engine: EnginePackage,
  options: SetupOptions,
  attempts: FailedStamp['attempts'],
  system: SetupSystem,
): Promise<void> {
  const stamp: FailedStamp = {
    format: FORMAT,
    state: 'failed',
    packageVersion: engine.version,
    wheelPackage: options.wheel.package,
    wheelVersion: options.wheel.version,
    attempts,
    atMs: system.now(),
  };
  await writeJson(engine.stamp, stamp, system);
}
