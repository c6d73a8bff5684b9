import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { loadConfig } from '../src/config/load.js';
import { runSchema } from '../src/run/config.js';
import { startRuns } from '../src/run/run.js';
import { loadEngine } from '../src/train/engine/load.js';

/** Memory over 2,000 steps of the small recipe with its default log, 4 replicas. */
const engine = await loadEngine({ engine: 'auto' });
const root = fs.mkdtempSync(path.join(os.tmpdir(), 'gradscope-bench-'));
const marks = new Set([100, 500, 1000, 1500, 2000]);
const { config, resolved } = loadConfig('configs/set-inclusion.yaml', runSchema);
console.log('\nMemory over 2,000 steps, small recipe, 4 replicas, default log');
try {
  await startRuns(config, resolved, [0, 1, 2, 3], {
    root,
    engine,
    command: [],
    signal: new AbortController().signal,
    onProgress: ({ step }) => {
      if (!marks.has(step)) return;
      globalThis.gc?.();
      const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`.padStart(8);
      const { rss, heapUsed } = process.memoryUsage();
      console.log(
        `step ${String(step).padStart(4)}  RSS ${megabytes(rss)}  JS heap ${megabytes(heapUsed)}  tensors ${tf.memory().numTensors}`,
      );
    },
    onMessage: () => {},
    existing: 'refuse',
    versions: {},
  });
} finally {
  fs.rmSync(root, { recursive: true });
}
