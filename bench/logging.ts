import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { loadConfig } from '../src/config/load.js';
import { runSchema } from '../src/run/config.js';
import { logTiers, type LogTier } from '../src/store/log-tier.js';
import { startRuns } from '../src/run/run.js';
import { tables } from '../src/store/tables/registry.js';
import { TableReader } from '../src/store/table-reader.js';
import { readTyped } from '../src/store/typed-table.js';
import { loadEngine } from '../src/train/engine/load.js';
import { median, printTable } from './support.js';

/**
 * What the gradient log costs: the small recipe is trained for some hundred steps with each tier in turn, and the
 * time of a step with its logging is divided by the time of a step of tier `off` in the same round. The Gram matrices
 * are computed with the gradient: their time is in the step's. Beside it the same of the processor time of all threads,
 * everything between two steps included, which other work on the machine changes less.
 */
const rounds = 5;
const epochs = 2;
/** Steps in which graphs are built. */
const warmUp = 10;

const engine = await loadEngine({ engine: 'auto' });

/** Mean milliseconds of a step, of its logging, and processor time of both. */
async function train(
  tier: LogTier,
  seeds: number,
): Promise<{ step: number; log: number; processor: number }> {
  const last = epochs * 82;
  let [before, after] = [process.cpuUsage(), process.cpuUsage()];
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
        onProgress: ({ step }) => {
          if (step === warmUp) before = process.cpuUsage();
          if (step === last) after = process.cpuUsage(before);
        },
        onMessage: () => {},
        existing: 'refuse',
        versions: {},
      },
    );
    const reader = await TableReader.open(folders[0]!, 'steps');
    const { columns } = await readTyped(reader, tables.steps, ['step', 'step_ms', 'log_ms']);
    await reader.close();
    const mean = (all: Float64Array): number => {
      const values = all.filter((_, row) => columns.step[row]! > warmUp && columns.step[row]! <= last);
      return values.reduce((sum, value) => sum + value, 0) / values.length;
    };
    return {
      step: mean(columns.step_ms),
      log: mean(columns.log_ms),
      processor: (after.user + after.system) / 1000 / (last - warmUp),
    };
  } finally {
    fs.rmSync(root, { recursive: true });
  }
}

interface Ratios {
  readonly step: number;
  readonly log: number;
  readonly ratio: number;
  readonly processor: number;
}

for (const seeds of [16, 1]) {
  const results = new Map<LogTier, Ratios[]>();
  for (let round = 0; round < rounds; round++) {
    let off = { whole: NaN, processor: NaN };
    for (const tier of logTiers) {
      const { step, log, processor } = await train(tier, seeds);
      if (tier === 'off') off = { whole: step + log, processor };
      const own = { step, log, ratio: (step + log) / off.whole, processor: processor / off.processor };
      results.set(tier, [...(results.get(tier) ?? []), own]);
    }
    console.error(`round ${round + 1} of ${rounds} with ${seeds} replica(s) is done`);
  }
  printTable(
    `Gradient log, small recipe, ${seeds} replica(s), defaults of the preset; means over ${epochs * 82 - warmUp} steps, median of ${rounds} rounds`,
    ['tier', 'step ms', 'log ms', 'against off', 'processor time'],
    Array.from(results, ([tier, own]) => [
      tier,
      median(own.map(({ step }) => step)).toFixed(2),
      median(own.map(({ log }) => log)).toFixed(2),
      median(own.map(({ ratio }) => ratio)).toFixed(3),
      median(own.map(({ processor }) => processor)).toFixed(3),
    ]),
  );
}
console.log('(vectors are written every 1000 steps by default, outside the steps counted here)');
