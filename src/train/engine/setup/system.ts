import type { Progress } from './progress.js';

/** What a finished child process leaves behind. */
export interface RunResult {
  /** Exit code; null when a signal ended the process or it could not be started. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** True when there is no such program. */
  readonly notFound: boolean;
  /** True when `signal` or `timeoutMs` ended the process. */
  readonly aborted: boolean;
}

/** How a child process is run. */
export interface RunOptions {
  readonly cwd?: string;
  /** Variables on top of the system's environment; undefined removes one. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/**
 * Everything the set-up takes from the machine besides plain files: processes, clock, environment and the calls
 * that tests must be able to make fail. Files are read and written below the folders named in `SetupOptions`.
 */
export interface SetupSystem {
  readonly platform: string;
  /** Processor in Node's spelling, such as `x64`. */
  readonly architecture: string;
  readonly node: {
    readonly executable: string;
    /** Highest Node-API version this Node serves. */
    readonly napiVersion: number;
  };
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly processId: number;
  /** Number of the user; undefined where the system has none. */
  readonly userId: number | undefined;
  readonly hostName: string;
  readonly progress: Progress;
  /** Version of the running glibc, such as `2.36`; undefined where the C library is another one. */
  glibcVersion(): string | undefined;
  /** Bytes that this user may still write on the disk that holds `folder`. */
  freeBytes(folder: string): Promise<number>;
  /** Milliseconds since 1970. */
  now(): number;
  sleep(ms: number): Promise<void>;
  /** Calls `action` every `ms` milliseconds until the returned function is called. */
  every(ms: number, action: () => void): () => void;
  run(command: string, args: readonly string[], options: RunOptions): Promise<RunResult>;
  isRunning(processId: number): boolean;
  /** Makes a second name for the file `existing`; fails across file systems. */
  hardLink(existing: string, path: string): Promise<void>;
  symbolicLink(target: string, path: string): Promise<void>;
}
