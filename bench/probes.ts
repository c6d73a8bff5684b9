import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { loadConfig } from '../src/config/load.js';
import { Prober } from '../src/probe/prober.js';
import { probeDefaults } from '../src/probe/probe.js';
import { runSchema } from '../src/run/config.js';
import { startRuns } from '../src/run/run.js';
import { loadEngine } from '../src/train/engine/load.js';
import { printTable } from './support.js';

/**
 * The default probes of 8 seeds of `small` against the training of the same seeds: each probe by itself in one process,
 * whose first run builds the graphs, then all of them as the command line takes them. Seconds of the clock and of the
 * processor: on a busy machine only the second says something.
 */
const seeds = Array.from({ length: 8 }, (_, seed) => seed);
const names = ['alignment', 'transfer', 'transfer-path', 'penalty'];
const engine = await loadEngine({ engine: 'auto' });
const root = fs.mkdtempSync(path.join(os.tmpdir(), 'gradscope-bench-'));
const watch = { onProgress: () => {}, onMessage: () => {} };

interface Took {
  readonly clock: number;
  readonly processor: number;
}

async function timed(work: () => Promise<void>): Promise<Took> {
  const [started, before] = [performance.now(), process.cpuUsage()];
  await work();
  const { user, system } = process.cpuUsage(before);
  return { clock: (performance.now() - started) / 1000, processor: (user + system) / 1e6 };
}

try {
  const { config, resolved } = loadConfig('configs/set-inclusion.yaml', runSchema);
  const request = {
    root,
    engine,
    command: ['bench'],
    signal: new AbortController().signal,
    ...watch,
    existing: 'refuse' as const,
    versions: {},
  };
  const training = await timed(async () => {
    await startRuns(config, resolved, seeds, request);
  });
  const folders = seeds.map((seed) => path.join(root, 'set-inclusion', `small-seed${seed}`));
  const rows: [string, Took][] = [['training, with the exchanged halves', training]];
  for (const name of names) {
    const prober = new Prober({ ...probeDefaults, only: [name] }, { engine }, watch);
    const took = await timed(async () => {
      for (const folder of folders) await prober.probe(folder);
    });
    prober.dispose();
    rows.push([name, took]);
  }
  const started = performance.now();
  const own = { ...process.env };
  for (const key of ['TF_NUM_INTRAOP_THREADS', 'TF_NUM_INTEROP_THREADS']) Reflect.deleteProperty(own, key);
  const command = ['--import', 'tsx', 'src/cli/main.ts', 'probe', root, '--only', names.join()];
  const { status } = spawnSync(process.execPath, command, {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: own,
  });
  if (status !== 0) throw new Error(`gradscope probe ended with ${status}`);
  const whole = (performance.now() - started) / 1000;
  printTable(
    `Probes of ${seeds.length} seeds of small, ${engine.version}`,
    ['', 'seconds', 'of training', 'processor seconds', 'of training'],
    [
      ...rows.map(([name, { clock, processor }]) => [
        name,
        clock.toFixed(1),
        (clock / training.clock).toFixed(2),
        processor.toFixed(1),
        (processor / training.processor).toFixed(2),
      ]),
      ['all four by gradscope probe', whole.toFixed(1), (whole / training.clock).toFixed(2), '', ''],
    ],
  );
} finally {
  fs.rmSync(root, { recursive: true });
}
