import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { link, mkdir, mkdtemp, readFile, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  setupOptions,
  type SetupFlags,
  type SetupOptions,
} from '../../../../src/train/engine/setup/index.js';
import type { RunOptions, RunResult, SetupSystem } from '../../../../src/train/engine/setup/system.js';
import { tinyZip, WHEEL_ENTRIES } from './tiny-zip.js';

/** A wheel name without a pinned hash. */
export const UNPINNED_WHEEL = 'tensorflow_cpu-2.21.0-cp312-cp312-manylinux_2_27_x86_64.whl';
export const PINNED_WHEEL = 'tensorflow_cpu-2.21.0-cp311-cp311-manylinux_2_27_x86_64.whl';

const finished: RunResult = { code: 0, stdout: '', stderr: '', notFound: false, aborted: false };
export const ok = (stdout = ''): RunResult => ({ ...finished, stdout });
export const failed = (stderr: string): RunResult => ({ ...finished, code: 1, stderr });
export const missing: RunResult = { ...finished, code: null, notFound: true };

type Tool = (args: readonly string[], options: RunOptions) => RunResult | Promise<RunResult>;

/**
 * A machine whose tools are functions and whose disk is a temporary folder. The tools work unless a test replaces
 * them; `calls` lists those that ran, in order.
 */
export class FakeMachine {
  readonly root: string;
  readonly engineFolder: string;
  readonly cacheFolder: string;
  readonly calls: string[] = [];
  readonly notes: string[] = [];
  readonly running = new Set<number>();
  wheel = { fileName: UNPINNED_WHEEL, bytes: tinyZip(WHEEL_ENTRIES) };
  clock = Date.UTC(2026, 0, 1);
  private readonly timers = new Set<{ ms: number; next: number; action: () => void }>();

  readonly tools: Record<'pipVersion' | 'pipDownload' | 'pipReport' | 'compile' | 'load' | 'install', Tool> =
    {
      pipVersion: () => ok('pip 26'),
      pipDownload: async (args) => {
        const folder = args[args.indexOf('--dest') + 1] ?? '';
        await writeFile(join(folder, this.wheel.fileName), this.wheel.bytes);
        return ok();
      },
      pipReport: () => ok(JSON.stringify(pipReport(sha256(this.wheel.bytes)))),
      compile: async (_args, { cwd = '' }) => {
        if (!existsSync(join(cwd, 'deps/lib/libtensorflow.so')))
          return failed('ld: cannot find -ltensorflow');
        await mkdir(join(cwd, 'lib/napi-v8'), { recursive: true });
        await writeFile(join(cwd, 'lib/napi-v8/tfjs_binding.node'), 'binding');
        return ok();
      },
      load: async (args) => {
        const [binding = '', folder = ''] = args.slice(2);
        const good = (await readFile(binding, 'utf8').catch(() => '')).startsWith('binding');
        const official = existsSync(join(folder, 'deps/lib/libtensorflow.so.2.9.1'));
        if (!good || !existsSync(join(folder, 'deps/lib/libtensorflow.so'))) {
          return failed('node:internal\nError: libtensorflow.so: cannot open shared object file\n  at x');
        }
        return ok(`a line of the library\nloaded {"version":"${official ? '2.9.1' : '2.21.0'}"}\n`);
      },
      install: () => failed('getaddrinfo ENOTFOUND storage.googleapis.com'),
    };

  readonly system: SetupSystem;

  private constructor(root: string) {
    this.root = root;
    this.engineFolder = join(root, 'node_modules/@tensorflow/tfjs-node-gpu');
    this.cacheFolder = join(root, 'cache');
    this.system = {
      platform: 'linux',
      architecture: 'x64',
      node: { executable: join(root, 'node/bin/node'), napiVersion: 9 },
      environment: { PATH: '/bin' },
      processId: 100,
      userId: process.getuid?.(),
      hostName: 'here',
      progress: {
        step: () => ({ update: () => {}, end: () => {} }),
        note: (line) => this.notes.push(line),
      },
      glibcVersion: () => '2.36',
      freeBytes: async () => 1e12,
      now: () => this.clock,
      sleep: (ms) => this.pass(ms),
      every: (ms, action) => {
        const timer = { ms, next: this.clock + ms, action };
        this.timers.add(timer);
        return () => this.timers.delete(timer);
      },
      run: (command, args, options) => this.run(command, args, options),
      isRunning: (processId) => this.running.has(processId),
      hardLink: link,
      symbolicLink: symlink,
    };
  }

  /** A machine with the engine package installed, without a native library, and an empty cache. */
  static async create(): Promise<FakeMachine> {
    const machine = new FakeMachine(await mkdtemp(join(tmpdir(), 'gradscope-setup-')));
    await machine.installPackages();
    return machine;
  }

  /** What `npm ci` leaves: JavaScript and sources, nothing native. */
  async installPackages(): Promise<void> {
    await mkdir(join(this.engineFolder, 'binding'), { recursive: true });
    const description = { version: '4.22.0', binary: { napi_versions: [3, 4, 5, 6, 7, 8] } };
    await writeFile(join(this.engineFolder, 'package.json'), JSON.stringify(description));
    await writeFile(join(this.engineFolder, 'binding.gyp'), '{}');
    await writeFile(join(this.engineFolder, 'binding/tfjs_binding.cc'), '// binding');
  }

  options(
    flags: Omit<SetupFlags, 'projectRoot'> = {},
    environment: Record<string, string> = {},
  ): SetupOptions {
    return setupOptions(
      { projectRoot: this.root, ...flags },
      { GRADSCOPE_CACHE: this.cacheFolder, ...environment },
    );
  }

  /** Lets time pass, in steps of the timers, giving started work a chance to go on. */
  async pass(ms: number): Promise<void> {
    const end = this.clock + ms;
    while (this.clock < end) {
      this.clock = Math.min(end, this.clock + 500);
      for (const timer of this.timers) {
        if (timer.next > this.clock) continue;
        timer.next += timer.ms;
        timer.action();
      }
      // The folder that is watched is read from the real disk.
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  /** A tool that does nothing until it is ended, while time passes in strides. */
  hanging(strideMs: number): Tool {
    return async (_args, { signal }) => {
      const ended = () => signal?.aborted ?? true;
      while (!ended()) await this.pass(strideMs);
      return { ...failed(''), code: null, aborted: true };
    };
  }

  private async run(command: string, args: readonly string[], options: RunOptions): Promise<RunResult> {
    const tool = toolOf(args);
    this.calls.push(tool === 'pipVersion' ? `${command} ${tool}` : tool);
    return this.tools[tool](args, options);
  }
}

function toolOf(args: readonly string[]): keyof FakeMachine['tools'] {
  const text = args.join(' ');
  if (text.startsWith('-m pip --version')) return 'pipVersion';
  if (text.startsWith('-m pip download')) return 'pipDownload';
  if (text.startsWith('-m pip install --dry-run')) return 'pipReport';
  if (text.includes('node-pre-gyp install')) return 'compile';
  if (text.startsWith('-e')) return 'load';
  if (text.startsWith('scripts/install.js')) return 'install';
  throw new Error(`no fake for: ${text}`);
}

export function pipReport(hash: string): unknown {
  return { install: [{ download_info: { archive_info: { hashes: { sha256: hash } } } }] };
}

export const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
