import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { writeLog } from './cache-folder.js';
import { folderSize } from './files.js';
import { logFile, type EnginePackage } from './layout.js';
import { tryLoading } from './load-check.js';
import { withLock } from './lock.js';
import type { SetupOptions } from './options.js';
import { officialDownload, type SetupOutcome } from './outcome.js';
import { megabytes, withProgress } from './progress.js';
import { RouteFailure } from './route-failure.js';
import { runWatched } from './run-watched.js';
import { writeReadyStamp } from './stamp.js';
import type { RunResult, SetupSystem } from './system.js';

const TIMEOUT_MS = 60 * 60_000;
const START_WITHIN_MS = 15_000;
const STALL_MS = 180_000;

/**
 * Runs the install script of the engine package, which downloads TensorFlow 2.9.1 for CUDA 11.2 and a compiled
 * binding from Google's storage. Nobody publishes hashes of these files, so that they cannot be compared with any: only
 * for those who ask for it. Where it fails the package is left as it was. Throws `RouteFailure`.
 */
export async function officialRoute(
  options: SetupOptions,
  engine: EnginePackage,
  system: SetupSystem,
): Promise<SetupOutcome> {
  await mkdir(options.cacheFolder, { recursive: true, mode: 0o700 });
  return withLock(join(options.cacheFolder, '.lock'), system, async () => {
    const restore = await setAside(engine);
    try {
      const version = await install(options, engine, system);
      const names = await readdir(join(engine.deps, 'lib'));
      await writeReadyStamp(engine, { obtained: 'official', libraryVersion: version }, names, system);
      await restore('keep new');
      return officialDownload(version);
    } catch (error) {
      await restore('bring back old');
      throw error;
    }
  });
}

async function install(options: SetupOptions, engine: EnginePackage, system: SetupSystem): Promise<string> {
  const result = await runInstallScript(options, engine, system);
  if (result.code !== 0) {
    const log = await writeLog(logFile(options, 'official-download'), `${result.stdout}\n${result.stderr}`);
    throw new RouteFailure(
      `the official TensorFlow download ${result.aborted ? 'gave no data' : 'failed'}, log ${log}`,
      'open the network to storage.googleapis.com',
    );
  }
  const loaded = await tryLoading(engine, options, system);
  if (loaded.loads) return loaded.version;
  throw new RouteFailure(
    `the official TensorFlow download does not load: ${loaded.why}`,
    'use the Python wheel instead',
  );
}

function runInstallScript(
  options: SetupOptions,
  engine: EnginePackage,
  system: SetupSystem,
): Promise<RunResult> {
  const bin = join(options.projectRoot, 'node_modules/.bin');
  const path = [bin, system.environment['PATH']].filter((part) => part !== undefined).join(delimiter);
  const downloaded = () => folderSize(engine.deps);
  return withProgress(
    system,
    'downloading the official TensorFlow library',
    async () => megabytes(await downloaded()),
    () =>
      runWatched(
        system,
        system.node.executable,
        ['scripts/install.js', 'gpu', 'download'],
        { cwd: engine.folder, environment: { PATH: path }, timeoutMs: TIMEOUT_MS },
        { measure: downloaded, startWithinMs: START_WITHIN_MS, stallMs: STALL_MS },
      ),
  );
}

/** Moves what the install script overwrites out of its way; the returned function ends that, either way. */
async function setAside(
  engine: EnginePackage,
): Promise<(how: 'keep new' | 'bring back old') => Promise<void>> {
  // The script renames its download in package.json and forgets to undo that when it fails.
  const description = join(engine.folder, 'package.json');
  const original = await readFile(description);
  const folders = [engine.deps, join(engine.folder, 'lib')];
  const aside = (folder: string) => `${folder}.before`;
  for (const folder of folders) {
    // Left where a set-up was interrupted: the older folder is the whole one.
    if (await stat(aside(folder)).catch(() => undefined)) await rm(folder, { recursive: true, force: true });
    else await renameIfThere(folder, aside(folder));
  }
  return async (how) => {
    await writeFile(description, original);
    for (const folder of folders) {
      if (how === 'bring back old') {
        await rm(folder, { recursive: true, force: true });
        await renameIfThere(aside(folder), folder);
      }
      await rm(aside(folder), { recursive: true, force: true });
    }
    await rm(join(engine.folder, 'build'), { recursive: true, force: true });
  };
}

async function renameIfThere(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
}
