import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { loadConfig } from '../src/config/load.js';
import { logTiers, runSchema, type LogTier } from '../src/run/config.js';
import { startRuns } from '../src/run/run.js';
import { tables } from '../src/store/tables/registry.js';
import { TableReader } from '../src/store/table-reader.js';
import { readTyped } from '../src/store/typed-table.js';
import { loadEngine } from '../src/train/engine/load.js';
import { median, printTable } from './support.js';

/**
 * What the gradient log costs: the small recipe is trained for some hundred steps with each tier in turn, and the
 * time of a step with its logging is divided by the time of a step of tier `off` in the same round. The Gram matrices
 * are computed with the gradient: their time is in the step's.
 */
const rounds = 5;
const epochs = 2;
/** Steps in which graphs are built. */
const warmUp = 10;

const engine = await loadEngine({ engine: 'auto' });

/** Mean milliseconds of a step and of its logging. */
async function train(tier: LogTier, seeds: number): Promise<{ step: number; log: number }> {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'gradscope-bench-'));
  try {
    const { config, resolved } = loadConfig('configs/set-inclusion.yaml', runSchema, [
      `log.tier=${tier}`,
      `stages.0.epochs=${epochs}`,
      'stages.1.epochs=1',
      'evaluation.everyEpochs=1000',
      'evaluation.maxExamples=10',
      'data.variables=1000',
    ]);
    const { folders } = await startRuns(
      config,
      resolved,
      Array.from({ length: seeds }, (_, seed) => seed),
      {
        root,
        engine,
        command: [],
        signal: new AbortController().signal,
        onProgress: () => {},
        onMessage: () => {},
        existing: 'refuse',
        versions: {},
      },
    );
    const reader = await TableReader.open(folders[0]!, 'steps');
    const { columns } = await readTyped(reader, tables.steps, ['step', 'step_ms', 'log_ms']);
    await reader.close();
    const last = epochs * 82;
    const mean = (all: Float64Array): number => {
      const values = all.filter((_, row) => columns.step[row]! > warmUp && columns.step[row]! <= last);
      return values.reduce((sum, value) => sum + value, 0) / values.length;
    };
    return { step: mean(columns.step_ms), log: mean(columns.log_ms) };
  } finally {
    fs.rmSync(root, { recursive: true });
  }
}

for (const seeds of [16, 1]) {
  const results = new Map<LogTier, { step: number; log: number; ratio: number }[]>();
  for (let round = 0; round < rounds; round++) {
    let off = NaN;
    for (const tier of logTiers) {
      const { step, log } = await train(tier, seeds);
      if (tier === 'off') off = step + log;
      const own = { step, log, ratio: (step + log) / off };
      results.set(tier, [...(results.get(tier) ?? []), own]);
    }
  }
  printTable(
    `Gradient log, small recipe, ${seeds} replica(s), defaults of the preset; means over ${epochs * 82 - warmUp} steps, median of ${rounds} rounds`,
    ['tier', 'step ms', 'log ms', 'against off'],
    Array.from(results, ([tier, own]) => [
      tier,
      median(own.map(({ step }) => step)).toFixed(2),
      median(own.map(({ log }) => log)).toFixed(2),
      median(own.map(({ ratio }) => ratio)).toFixed(3),
    ]),
  );
}
console.log('(vectors are written every 1000 steps by default, outside the steps counted here)');
