import { performance } from 'node:perf_hooks';
import { createStream } from '../data/random/streams.js';
import { loadConfig } from '../src/config/load.js';
import { createFactorReader } from '../src/probe/panel/factors.js';
import { panelProducts } from '../src/probe/panel/panel-gram.js';
import { choosePanel } from '../src/probe/panel/panel.js';
import { runSchema } from '../src/run/config.js';
import { planRuns } from '../src/run/plan.js';
import { readColumns } from '../src/store/read-columns.js';
import { TableReader } from '../src/store/table-reader.js';
import { defaultThreads, loadEngine } from '../src/train/engine/load.js';
import { Learner } from '../src/train/learner.js';
import type { Point } from './scaling-sweeps.js';
import { median } from './support.js';
import { ourSteps } from './training-step.js';

/**
 * One size of a sweep, in a process of its own so that its memory is its own: builds what it measures, and takes a
 * round whenever it is asked, so that the sizes of a sweep take turns.
 */
interface Measured {
  /** What the cost is counted against. */
  readonly size: number;
  /** What the program plans before such a run, bytes; null where it plans nothing. */
  readonly plannedBytes: number | null;
  /** One piece of work, such as one step; gives its milliseconds. */
  readonly take: () => Promise<number>;
}

/** What a point sends, first when it is ready and then after each round. */
export interface PointAnswer {
  readonly size: number;
  readonly plannedBytes: number | null;
  readonly ms: number;
  /** Processor time of all threads, ms: what else runs on the machine changes it less than the time that passes. */
  readonly processorMs: number;
  /** Most resident memory so far, beyond what the engine and the program held before, MB. */
  readonly peakMb: number;
}

/** Least time of a round, ms: short pieces of work are repeated. */
const roundMs = 250;

async function build(point: Point): Promise<Measured> {
  switch (point.kind) {
    case 'step': {
      const take = ourSteps(point.own);
      return {
        size: point.size === 'parameters' ? take.parameters : point.size,
        plannedBytes: take.plannedBytes,
        take: () => Promise.resolve(take(1)[0]!),
      };
    }
    case 'panel':
      return buildPanel(point.variables);
    case 'log':
      return {
        size: point.steps,
        plannedBytes: null,
        take: async () => {
          const started = performance.now();
          const reader = await TableReader.open(point.folder, 'gradients');
          await readColumns(reader, ['step', 'group', 'tensor', 'norm2']);
          await reader.close();
          return performance.now() - started;
        },
      };
  }
}

function buildPanel(variablesPerSubset: number): Measured {
  const { config } = loadConfig('configs/set-inclusion.yaml', runSchema);
  const plan = planRuns([{ config, seed: 0 }]);
  const learner = new Learner(plan.model, 1, 'example');
  learner.initialise([createStream(0, 'initialisation')]);
  const values = learner.read();
  const panel = choosePanel(
    plan.data[0]!,
    { variablesPerSubset, questions: 12 },
    createStream(0, 'panel'),
    () => createStream(0, 'panel/examples'),
  );
  const read = createFactorReader(plan.model, learner.blocks, 256);
  return {
    size: panel.size,
    plannedBytes: null,
    take: () => {
      const started = performance.now();
      const factors = read(values, panel);
      panelProducts(panel, factors, plan.model, true);
      factors.dispose();
      return Promise.resolve(performance.now() - started);
    },
  };
}

async function serve(point: Point): Promise<void> {
  const threads = defaultThreads({ width: point.kind === 'step' ? point.own.width : 32 });
  if (point.kind !== 'log') await loadEngine({ engine: 'auto', threads });
  globalThis.gc?.();
  const before = process.memoryUsage().rss;
  const { size, plannedBytes, take } = await build(point);
  const answer = (times: { readonly ms: number; readonly processorMs: number }): void => {
    const peakMb = process.resourceUsage().maxRSS / 1000 - before / 1e6;
    process.send!({ size, plannedBytes, ...times, peakMb } satisfies PointAnswer);
  };
  // Graphs are built in the first, and memory has its later shape from the third on.
  for (let i = 0; i < 3; i++) await take();
  process.on('message', () => {
    void round(take).then(answer);
  });
  answer({ ms: NaN, processorMs: NaN });
}

/** Median time of a piece of work, and its mean processor time. */
async function round(take: () => Promise<number>): Promise<{ ms: number; processorMs: number }> {
  const times: number[] = [];
  const started = performance.now();
  const before = process.cpuUsage();
  do times.push(await take());
  while (performance.now() - started < roundMs);
  const { user, system } = process.cpuUsage(before);
  return { ms: median(times), processorMs: (user + system) / 1000 / times.length };
}

await serve(JSON.parse(process.argv[2]!) as Point);
