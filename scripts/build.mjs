// TypeScript to `dist/`, but only where a source changed. `npm run build` runs this file.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { readIfThere } from './install.mjs';
import { isMain, run, runScript, ScriptError, succeeded } from './process.mjs';

const FOLDERS = ['types', 'data', 'src', 'tui'];
const FILES = ['tsconfig.json', 'tsconfig.build.json', 'package-lock.json'];
const MAIN = 'dist/src/cli/main.js';

/** Compiles the program in `root` where needed. Returns whether the compiler ran. */
export async function build(root) {
  const inputs = sourceFiles(root);
  const hash = createHash('sha256');
  for (const name of inputs) hash.update(`${name}\n`).update(fs.readFileSync(path.join(root, name)));
  const stamp = path.join(root, 'dist/.gradscope-build');
  const [lastHash, ...lastInputs] = (readIfThere(stamp) ?? '').split('\n');
  const newHash = hash.digest('hex');
  if (newHash === lastHash) return false;

  process.stderr.write('building: tsc\n');
  // The compiler leaves the output of a deleted source behind, where an import would still find it.
  if (lastInputs.some((name) => !inputs.includes(name))) {
    fs.rmSync(path.join(root, 'dist'), { recursive: true, force: true });
  }
  const tsc = path.join(root, 'node_modules/typescript/bin/tsc');
  const result = await run(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { cwd: root });
  if (!succeeded(result)) throw new ScriptError('tsc failed; its messages are above', result);
  // npx runs the file itself.
  if (fs.existsSync(path.join(root, MAIN))) fs.chmodSync(path.join(root, MAIN), 0o755);
  fs.writeFileSync(stamp, [newHash, ...inputs].join('\n'));
  return true;
}

function sourceFiles(root) {
  const inFolders = FOLDERS.filter((folder) => fs.existsSync(path.join(root, folder))).flatMap((folder) =>
    fs
      .readdirSync(path.join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name))),
  );
  return [...inFolders.sort((a, b) => (a < b ? -1 : 1)), ...FILES];
}

const file = fileURLToPath(import.meta.url);
if (isMain(file)) await runScript(() => build(path.dirname(path.dirname(file))));
