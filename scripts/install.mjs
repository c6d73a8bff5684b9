// Packages: `npm ci`, but only where the lockfile is not the one that is installed.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { run, ScriptError, succeeded } from './process.mjs';

/** Runs `npm ci` in `root` where needed. Returns whether it ran. */
export async function installPackages(root) {
  const lockText = fs.readFileSync(path.join(root, 'package-lock.json'), 'utf8');
  const hash = createHash('sha256').update(lockText).digest('hex');
  const stamp = path.join(root, 'node_modules/.gradscope-install');
  if (readIfThere(stamp) === hash) return false;
  // Somebody may have run npm by hand, which leaves no stamp of ours.
  if (readIfThere(stamp) === undefined && isInstalled(JSON.parse(lockText), root)) {
    fs.writeFileSync(stamp, hash);
    return false;
  }
  process.stderr.write('installing packages: npm ci\n');
  const result = await runNpm(['ci'], root);
  if (!succeeded(result)) throw new ScriptError('npm ci failed; its messages are above', result);
  fs.writeFileSync(stamp, hash);
  return true;
}

/** True when npm's own record of `node_modules` has every package of the lockfile; optional ones may be missing. */
function isInstalled(lock, root) {
  const record = readIfThere(path.join(root, 'node_modules/.package-lock.json'));
  if (record === undefined) return false;
  const installed = JSON.parse(record).packages;
  return Object.entries(lock.packages).every(
    ([name, wanted]) => name === '' || wanted.optional || installed[name]?.version === wanted.version,
  );
}

function runNpm(args, cwd) {
  const npm = process.env.npm_execpath;
  if (npm && path.basename(npm).startsWith('npm')) return run(process.execPath, [npm, ...args], { cwd });
  return run('npm', args, { cwd, shell: process.platform === 'win32' });
}

/** The text of a file, undefined where there is none. */
export function readIfThere(file) {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
