import { join } from 'node:path';
import { BusyError, UserError } from '../../data/errors.js';
import { writeAtomically } from './atomic-file.js';
import { nodeEnvironment } from './environment.js';
import type { Environment } from './environment.js';
import { systemCode, systemMessage } from './file-system.js';
import { fenced } from './fence.js';
import type { FileSystem } from './file-system.js';
import { parseHolder, readLock } from './lock-holder.js';
import { acquireLock, describeHolder, lockPath } from './lock.js';
import type { Lock } from './lock.js';
import { isAlive, thisProcess } from './process-record.js';
import { renewStreams } from './renew-streams.js';
import { formatRunInfo, parseRunInfo, runFormatVersion, runInfoPath } from './run-info.js';
import type { NewRun, RunInfo } from './run-info.js';

/** What a running run may say anew about itself. */
export type RunUpdate = Partial<Omit<RunInfo, 'formatVersion' | 'status' | 'started' | 'updated' | 'ended'>>;

/** A run folder that this process writes: it holds the folder's lock. */
export class RunFolder {
  #info: RunInfo;
  /** The file system for whatever is written in the folder: it refuses once the lock is not this process's any more. */
  readonly fs: FileSystem;

  private constructor(
    readonly path: string,
    info: RunInfo,
    private readonly config: string,
    private readonly lock: Lock,
    private readonly environment: Environment,
  ) {
    this.#info = info;
    this.fs = fenced(environment.fs, () => this.requireOwn());
  }

  /**
   * Make a run folder with `config.yaml`, `run.json` and the lock. Throws a BusyError when another process writes it or has
   * begun a run in it since it was looked at, and a UserError when the device does not take it.
   */
  static create(
    path: string,
    run: NewRun,
    config: string,
    environment: Environment = nodeEnvironment,
  ): RunFolder {
    const { fs, processes, now } = environment;
    makeFolder(fs, path);
    return locked(path, environment, (lock) => {
      if (fs.exists(runInfoPath(path))) {
        throw new BusyError(`${path}: holds a run already; resume it or take another run folder`, path);
      }
      const time = now().toISOString();
      const info: RunInfo = {
        ...run,
        formatVersion: runFormatVersion,
        status: 'running',
        started: time,
        updated: time,
        ended: null,
        stepsDone: 0,
        failure: null,
        process: thisProcess(processes),
      };
      writeAtomically(fs, configPath(path), config);
      writeAtomically(fs, runInfoPath(path), formatRunInfo(info));
      return new RunFolder(path, info, config, lock, environment);
    });
  }

  /**
   * Go on with a run that was interrupted or failed, or whose process is gone. Where that process cannot be looked up from
   * here and did not say that it ended, its streams are copied: it may live on. Throws a BusyError when another process writes
   * the run or has completed it, a UserError when there is none.
   */
  static resume(path: string, environment: Environment = nodeEnvironment): RunFolder {
    return locked(path, environment, (lock) => {
      const info = readRunInfo(path, environment.fs);
      if (info.status === 'complete')
        throw new BusyError(`${path}: the run is complete; start a new one`, path);
      const config = readConfig(path, environment.fs);
      const folder = new RunFolder(path, info, config, lock, environment);
      if (info.status === 'running' && isAlive(info.process, environment.processes) === null)
        renewStreams(folder.fs, path);
      folder.#write({
        status: 'running',
        ended: null,
        failure: null,
        process: thisProcess(environment.processes),
      });
      return folder;
    });
  }

  /** What `run.json` says. */
  get info(): RunInfo {
    return this.#info;
  }

  /** Change entries of `run.json`, which is brought to the device. Throws a UserError when that fails. */
  update(changes: RunUpdate): void {
    this.#write(changes);
  }

  /** Say how the run ended and give the lock back. Throws a UserError when `run.json` cannot be written. */
  end(status: 'complete'): void;
  end(status: 'interrupted', failure?: string): void;
  end(status: 'failed', failure: string): void;
  end(status: 'complete' | 'interrupted' | 'failed', failure: string | null = null): void {
    try {
      this.#write({ status, failure, ended: this.environment.now().toISOString() });
    } finally {
      this.release();
    }
  }

  /** Say that the run failed, while its tables are brought to their end. Throws a UserError as {@link end} does. */
  fail(failure: string): void {
    this.#write({ status: 'failed', failure, ended: this.environment.now().toISOString() });
  }

  /** Write config.yaml again when somebody removed it: without it nothing can read the run. */
  restoreConfig(): void {
    if (!this.fs.exists(configPath(this.path))) writeAtomically(this.fs, configPath(this.path), this.config);
  }

  /** {@link Lock.isStillOurs} of the folder's lock. */
  isStillOurs(): boolean {
    return this.lock.isStillOurs();
  }

  /**
   * Throws a BusyError when another process has taken the folder, a UserError when it or its lock was removed: whatever is
   * written from then on would be lost, or spoil what that process writes.
   */
  requireOwn(): void {
    if (this.lock.isStillOurs()) return;
    const { fs, processes } = this.environment;
    if (!fs.exists(this.path))
      throw new UserError(`${this.path}: was removed or moved while the run wrote it; start the run again`);
    const taker = parseHolder(readLock(fs, lockPath(this.path)));
    throw new BusyError(
      taker === null
        ? `${this.path}: lost the folder: its lock was removed; nothing more is written`
        : `${this.path}: lost the folder: process ${taker.pid} on ${describeHolder(taker, processes)} has taken it over; nothing more is written`,
      this.path,
    );
  }

  /** Give the lock back without a word about how the run ended; a second call does nothing. */
  release(): void {
    this.lock.release();
  }

  #write(changes: Partial<RunInfo>): void {
    this.#info = { ...this.#info, ...changes, updated: this.environment.now().toISOString() };
    writeAtomically(this.fs, runInfoPath(this.path), formatRunInfo(this.#info));
  }
}

/** Path of a run's configuration. */
export function configPath(folder: string): string {
  return join(folder, 'config.yaml');
}

/** Read `run.json` of a run folder. Throws a UserError when there is none or when it cannot be read. */
export function readRunInfo(folder: string, fs: FileSystem = nodeEnvironment.fs): RunInfo {
  const path = runInfoPath(folder);
  return parseRunInfo(path, readText(fs, path));
}

/** Read the configuration of a run folder. Throws a UserError when there is none. */
export function readConfig(folder: string, fs: FileSystem = nodeEnvironment.fs): string {
  return readText(fs, configPath(folder));
}

function readText(fs: FileSystem, path: string): string {
  try {
    return fs.readText(path);
  } catch (error) {
    const code = systemCode(error);
    const isMissing = code === 'ENOENT' || code === 'ESTALE';
    const reason = isMissing ? 'is missing; is this a run folder?' : systemMessage(error);
    throw new UserError(`${path}: ${reason}`, { cause: error });
  }
}

function makeFolder(fs: FileSystem, path: string): void {
  try {
    fs.makeFolder(path);
  } catch (error) {
    throw new UserError(`${path}: cannot be made (${systemMessage(error)})`, { cause: error });
  }
}

function locked<T>(path: string, environment: Environment, use: (lock: Lock) => T): T {
  const lock = acquireLock(path, environment);
  try {
    return use(lock);
  } catch (error) {
    lock.release();
    throw error;
  }
}
