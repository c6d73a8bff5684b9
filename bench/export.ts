/**
 * Export of the Gram matrices of a long log, against reading the bytes of the same table: rate in bytes of the log, and the
 * largest memory of the process. Every export is a process of its own.
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { filePath } from '../src/store/table-paths.js';
import { median, printTable, takeTurns } from './support.js';
import { writeLongRun } from './tui-runs.js';

const isQuick = process.argv.includes('--quick');
const rounds = 5;
const root = fs.mkdtempSync(path.join(os.tmpdir(), 'gradscope-bench-'));

interface Measured {
  readonly seconds: number;
  /** Largest resident memory, MB; NaN where it is not asked for. */
  readonly memory: number;
}

function exported(ending: string): Measured {
  const out = path.join(root, `out${ending}`);
  fs.rmSync(out, { force: true });
  const begun = performance.now();
  const { stderr, status } = spawnSync(
    process.execPath,
    [
      '-e',
      `process.on('exit', () => console.error('maxrss', process.resourceUsage().maxRSS)); import('${main}')`,
    ].concat(['--', 'export', root, '--table', 'gram', '--out', out]),
    { encoding: 'utf8' },
  );
  const seconds = (performance.now() - begun) / 1000;
  if (status !== 0) throw new Error(stderr);
  return { seconds, memory: Number(/maxrss (\d+)/.exec(stderr)![1]) / 1000 };
}

function bytesRead(file: string): Measured {
  const begun = performance.now();
  const descriptor = fs.openSync(file, 'r');
  const buffer = Buffer.alloc(1 << 20);
  while (fs.readSync(descriptor, buffer) > 0);
  fs.closeSync(descriptor);
  return { seconds: (performance.now() - begun) / 1000, memory: NaN };
}

const main = path.resolve('dist/src/cli/main.js');
if (!fs.existsSync(main)) throw new Error('build first: npm run build');
try {
  const folder = await writeLongRun(root, 'long', { steps: isQuick ? 1000 : 30_000, gram: true });
  const file = filePath(folder, 'gram');
  const megabytes = fs.statSync(file).size / 1e6;
  const found = await takeTurns(isQuick ? 1 : rounds, {
    'bytes alone': () => bytesRead(file),
    '.parquet': () => exported('.parquet'),
    '.arrow': () => exported('.arrow'),
    '.csv': () => exported('.csv'),
  });
  printTable(
    `Export of ${megabytes.toFixed(0)} MB of Gram matrices, start of the program included`,
    ['', 'seconds', 'MB/s of the log', 'largest memory, MB'],
    Object.entries(found).map(([name, all]) => {
      const seconds = median(all.map((own) => own.seconds));
      const memory = median(all.map((own) => own.memory));
      return [
        name,
        seconds.toFixed(2),
        (megabytes / seconds).toFixed(0),
        Number.isNaN(memory) ? '' : memory.toFixed(0),
      ];
    }),
  );
} finally {
  fs.rmSync(root, { recursive: true });
}
