import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { median, printTable } from './support.js';

/**
 * Seconds from a command to its end, for the ways to start the program; ways take turns. The folder is one in which
 * the package is installed, as npm does it: a link in node_modules/.bin.
 */
const rounds = 7;
const main = path.resolve('dist/src/cli/main.js');
if (!fs.existsSync(main)) throw new Error('dist/ is missing: npm run build');

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'gradscope-bench-start-'));
try {
  fs.mkdirSync(path.join(folder, 'node_modules/.bin'), { recursive: true });
  fs.writeFileSync(path.join(folder, 'package.json'), '{ "private": true }\n');
  const linked = path.join(folder, 'node_modules/.bin/gradscope');
  fs.chmodSync(main, 0o755);
  fs.symlinkSync(main, linked);
  const ways: readonly (readonly [name: string, command: string, ...args: string[]])[] = [
    ['node alone: node -e 0', process.execPath, '-e', '0'],
    ['node_modules/.bin/gradscope --version', linked, '--version'],
    ['node_modules/.bin/gradscope --help', linked, '--help'],
    ['node_modules/.bin/gradscope doctor', linked, 'doctor'],
    ['npx gradscope --version', 'npx', 'gradscope', '--version'],
  ];
  const seconds = ways.map((): number[] => []);
  for (let round = 0; round <= rounds; round++) {
    for (const [i, [name, command, ...args]] of ways.entries()) {
      const started = performance.now();
      const { status, stderr } = spawnSync(command, args, { cwd: folder, encoding: 'utf8' });
      if (status !== 0) throw new Error(`${name} ended with ${status}: ${stderr}`);
      // The first round fills the file cache.
      if (round > 0) seconds[i]!.push((performance.now() - started) / 1000);
    }
  }
  printTable(
    `Start to end of a command; medians of ${rounds} rounds in which they take turns`,
    ['', 'seconds', 'least', 'most'],
    ways.map(([name], i) => [
      name,
      median(seconds[i]!).toFixed(2),
      Math.min(...seconds[i]!).toFixed(2),
      Math.max(...seconds[i]!).toFixed(2),
    ]),
  );
} finally {
  fs.rmSync(folder, { recursive: true });
}
