import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import { loadConfig } from '../src/config/load.js';
import { runSchema } from '../src/run/config.js';
import { startRuns } from '../src/run/run.js';
import { loadEngine } from '../src/train/engine/load.js';
import { median, printTable, takeTurns } from './support.js';

/**
 * Memory over 2,000 steps of the small recipe, 4 replicas: with its default log, and without one. Each training is a
 * process of its own, and they take turns in every round. --quick: 200 steps, 2 rounds.
 */
const isQuick = process.argv.includes('--quick');
const rounds = isQuick ? 2 : 5;
const marks = [0.05, 0.25, 0.5, 0.75, 1].map((share) => share * (isQuick ? 200 : 2000));

const tiers = ['default', 'off'] as const;
type Tier = (typeof tiers)[number];

/** Memory at a step. */
interface Mark {
  readonly step: number;
  readonly rss: number;
  readonly heap: number;
  readonly tensors: number;
}

async function train(tier: Tier): Promise<Mark[]> {
  const engine = await loadEngine({ engine: 'auto' });
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'gradscope-bench-'));
  const stop = new AbortController();
  const found: Mark[] = [];
  const { config, resolved } = loadConfig(
    'configs/set-inclusion.yaml',
    runSchema,
    tier === 'off' ? ['log.tier=off'] : [],
  );
  try {
    await startRuns(config, resolved, [0, 1, 2, 3], {
      root,
      engine,
      command: [],
      signal: stop.signal,
      onProgress: ({ step }) => {
        if (step === marks.at(-1)) stop.abort();
        if (!marks.includes(step)) return;
        globalThis.gc?.();
        const { rss, heapUsed } = process.memoryUsage();
        found.push({ step, rss: rss / 1e6, heap: heapUsed / 1e6, tensors: tf.memory().numTensors });
      },
      onMessage: () => {},
      existing: 'refuse',
      versions: {},
    });
  } finally {
    fs.rmSync(root, { recursive: true });
  }
  return found;
}

/** Starts this file again for one training and takes what it prints. */
function trainApart(tier: Tier): Mark[] {
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [
      '--expose-gc',
      '--import',
      'tsx',
      fileURLToPath(import.meta.url),
      `--tier=${tier}`,
      ...(isQuick ? ['--quick'] : []),
    ],
    { encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout.trim().split('\n').at(-1)!) as Mark[];
}

async function main(): Promise<void> {
  const sides = { default: () => trainApart('default'), off: () => trainApart('off') };
  const found = await takeTurns(rounds, sides, false);
  const at = (tier: Tier, place: number, pick: (mark: Mark) => number): number[] =>
    found[tier].map((own) => pick(own[place]!));
  const rows = marks.map((step, place) => {
    const [logged, plain] = [at('default', place, ({ rss }) => rss), at('off', place, ({ rss }) => rss)];
    return [
      `step ${step}`,
      median(logged).toFixed(0),
      median(plain).toFixed(0),
      median(logged.map((own, round) => own / plain[round]!)).toFixed(2),
      // What grows from the first mark on is a leak.
      median(at('default', 0, ({ rss }) => rss).map((first, round) => logged[round]! / first)).toFixed(2),
      median(at('default', place, ({ heap }) => heap)).toFixed(0),
      String(median(at('default', place, ({ tensors }) => tensors))),
    ];
  });
  printTable(
    `Memory over ${marks.at(-1)} steps, small recipe, 4 replicas; medians of ${rounds} rounds in which the sides take turns`,
    [
      '',
      'default log, MB',
      'without a log, MB',
      'ratio',
      `of step ${marks[0]}`,
      'JS heap with the log, MB',
      'tensors',
    ],
    rows,
  );
}

const only = tiers.find((tier) => process.argv.includes(`--tier=${tier}`));
if (only === undefined) await main();
else console.log(JSON.stringify(await train(only)));
