// From a fresh clone to a program that runs: packages, build, native TensorFlow. Runs before node_modules exists, so
// it uses nothing but Node. Every step is skipped where nothing changed.
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { build } from './build.mjs';
import { installPackages } from './install.mjs';
import { isMain, run, runScript, ScriptError, succeeded } from './process.mjs';

export const ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/** Command line of the program, for `node`. */
export const MAIN = 'dist/src/cli/main.js';

const NEEDED_NODE = [20, 19];

/**
 * Brings the clone up to date. With `quiet` nothing is printed where nothing had to be done. With `automatic` a native
 * set-up that failed within the last day is not tried again. Throws `ScriptError`.
 */
export async function bootstrap({ quiet = false, automatic = true, root = ROOT } = {}) {
  checkNode(process.versions.node);
  const installed = await installPackages(root);
  const built = await build(root);
  const start = Date.now();
  const setup = [MAIN, 'setup', ...(automatic ? ['--automatic'] : [])];
  const result = await run(process.execPath, setup, { cwd: root, stdout: 'pipe' });
  const tookLong = Date.now() - start > 2000;
  if (!quiet || installed || built || tookLong || !succeeded(result)) process.stdout.write(result.stdout);
  if (!succeeded(result)) throw new ScriptError('', result);
}

function checkNode(version) {
  const [major, minor] = version.split('.').map(Number);
  const [neededMajor, neededMinor] = NEEDED_NODE;
  if (major > neededMajor || (major === neededMajor && minor >= neededMinor)) return;
  throw new ScriptError(`Node ${version} is too old: gradscope needs Node ${NEEDED_NODE.join('.')} or newer`);
}

if (isMain(fileURLToPath(import.meta.url))) await runScript(() => bootstrap({ automatic: false }));
