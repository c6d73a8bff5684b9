import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { UserError } from '../../../../data/errors.js';

/** The TensorFlow release that this version of the program is tested with. */
export const TENSORFLOW_VERSION = '2.21.0';

const DEFAULT_PACKAGE = 'tensorflow-cpu';

/** Which wheel the native library is taken from. */
export interface WheelChoice {
  readonly package: string;
  readonly version: string;
  /** True when the user named the package, so that a library from elsewhere does not count as the one asked for. */
  readonly named: boolean;
}

/** What the set-up is asked to do, and where. Paths are absolute. */
export interface SetupOptions {
  /** Folder whose `node_modules` holds `@tensorflow/tfjs-node-gpu`. */
  readonly projectRoot: string;
  /** Folder of unpacked libraries, compiled bindings and logs, shared by all clones of a user. */
  readonly cacheFolder: string;
  /** `native` sets the library up; the others leave everything as it is. */
  readonly engine: 'native' | 'wasm' | 'cpu';
  readonly wheel: WheelChoice;
  /** The interpreter whose pip is used; undefined: `python3`, then `python`. */
  readonly python: string | undefined;
  /** Really loads TensorFlow and multiplies two matrices. */
  readonly check: boolean;
  /** Takes the package's own download (TensorFlow 2.9.1, CUDA 11.2) and nothing else. */
  readonly official: boolean;
  /** A failure of the last day is repeated from the record instead of trying the network again. */
  readonly automatic: boolean;
}

export interface SetupFlags {
  readonly projectRoot: string;
  readonly engine?: string;
  readonly check?: boolean;
  readonly official?: boolean;
  readonly automatic?: boolean;
}

/**
 * Set-up options from command-line flags and environment:
 *
 * - `GRADSCOPE_ENGINE`: `native` or `auto` (default), `wasm` or `cpu`; the last two skip the set-up. The flag wins.
 * - `GRADSCOPE_CACHE`: cache folder; else `$XDG_CACHE_HOME/gradscope`, else `~/.cache/gradscope`.
 * - `GRADSCOPE_PYTHON`: the one interpreter whose pip is used; else `python3`, then `python`.
 * - `GRADSCOPE_TENSORFLOW_PACKAGE`: wheel name, optionally `name==version`. `tensorflow` is the wheel with CUDA: the
 *   steps are the same, but it has NOT been tested; its CUDA libraries (`tensorflow[and-cuda]`) must be on the
 *   loader's path.
 *
 * Throws `UserError` on a value that means nothing.
 */
export function setupOptions(
  flags: SetupFlags,
  environment: Readonly<Record<string, string | undefined>>,
): SetupOptions {
  return {
    projectRoot: resolve(flags.projectRoot),
    cacheFolder: cacheFolder(environment),
    engine: engineChoice(flags.engine ?? (environment['GRADSCOPE_ENGINE'] || 'auto')),
    wheel: wheelChoice(environment['GRADSCOPE_TENSORFLOW_PACKAGE']),
    python: environment['GRADSCOPE_PYTHON'] || undefined,
    check: flags.check ?? false,
    official: flags.official ?? false,
    automatic: flags.automatic ?? false,
  };
}

function cacheFolder(environment: Readonly<Record<string, string | undefined>>): string {
  const own = environment['GRADSCOPE_CACHE'];
  if (own) return resolve(own);
  return resolve(environment['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'gradscope');
}

function engineChoice(value: string): SetupOptions['engine'] {
  // As for a run: the native library where there is one, and a set-up is to get it.
  if (value === 'auto') return 'native';
  if (value === 'native' || value === 'wasm' || value === 'cpu') return value;
  throw new UserError(`GRADSCOPE_ENGINE: unknown engine "${value}"; use auto, native, wasm or cpu`);
}

function wheelChoice(value: string | undefined): WheelChoice {
  if (!value) return { package: DEFAULT_PACKAGE, version: TENSORFLOW_VERSION, named: false };
  const match = /^([A-Za-z0-9][A-Za-z0-9._-]*)(?:==([0-9][A-Za-z0-9.]*))?$/.exec(value);
  if (match?.[1] === undefined) {
    throw new UserError(`GRADSCOPE_TENSORFLOW_PACKAGE: "${value}" is not a name or name==version`);
  }
  return {
    package: match[1].toLowerCase().replaceAll(/[-_.]+/g, '-'),
    version: match[2] ?? TENSORFLOW_VERSION,
    named: true,
  };
}
