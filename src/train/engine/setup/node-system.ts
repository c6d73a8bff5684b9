import { spawn } from 'node:child_process';
import { link, statfs, symlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { createProgress, type Progress } from './progress.js';
import type { RunOptions, RunResult, SetupSystem } from './system.js';

/** Child output kept per stream; compilers and pip say what matters at the end. */
const KEPT_CHARACTERS = 4_000_000;

const reportHeader = z.object({ header: z.object({ glibcVersionRuntime: z.string().optional() }) });

/** The machine this process runs on. Progress goes to standard error unless another receiver is given. */
export function nodeSystem(progress: Progress = standardErrorProgress()): SetupSystem {
  return {
    platform: process.platform,
    architecture: process.arch,
    node: { executable: process.execPath, napiVersion: Number(process.versions['napi']) },
    environment: process.env,
    processId: process.pid,
    userId: process.getuid?.(),
    hostName: hostname(),
    progress,
    glibcVersion: () => reportHeader.safeParse(process.report.getReport()).data?.header.glibcVersionRuntime,
    freeBytes: async (folder) => {
      const disk = await statfs(folder);
      return disk.bavail * disk.bsize;
    },
    now: Date.now,
    sleep: (ms) => sleep(ms),
    every: (ms, action) => {
      const timer = setInterval(action, ms);
      return () => clearInterval(timer);
    },
    run,
    isRunning,
    hardLink: link,
    symbolicLink: symlink,
  };
}

function standardErrorProgress(): Progress {
  return createProgress({
    write: (text) => process.stderr.write(text),
    isTerminal: process.stderr.isTTY,
    // 0 where a terminal does not know.
    columns: process.stderr.columns || 80,
    now: Date.now,
  });
}

function isRunning(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    // EPERM: it runs, but belongs to somebody else.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

function run(command: string, args: readonly string[], options: RunOptions): Promise<RunResult> {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    let aborted = false;
    let notFound = false;
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout = (stdout + text).slice(-KEPT_CHARACTERS);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr = (stderr + text).slice(-KEPT_CHARACTERS);
    });
    const abort = () => {
      aborted = true;
      child.kill('SIGKILL');
      // Grandchildren may hold the pipes open long after the child is gone.
      child.stdout.destroy();
      child.stderr.destroy();
    };
    const timer = setTimeout(abort, options.timeoutMs);
    options.signal?.addEventListener('abort', abort, { once: true });
    const finish = (code: number | null) => {
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', abort);
      resolve({ code, stdout, stderr, notFound, aborted });
    };
    child.once('error', (error) => {
      notFound = 'code' in error && error.code === 'ENOENT';
      stderr += error.message;
      finish(null);
    });
    child.once('close', finish);
  });
}
