import { spawnSync } from 'node:child_process';
import os from 'node:os';

/**
 * Benchmarks, each in processes of its own because the engine reads its thread counts once. Before each the rate of
 * the processor's own products is measured: on a processor with another rate, or a busy one, the ratios are others.
 */
interface Bench {
  readonly about: string;
  /** On two quiet cores. */
  readonly takes: string;
  readonly parts: readonly { readonly file: string; readonly threads: Threads }[];
}

/** Threads inside an op and between ops; null: no engine, or the bench chooses. */
type Threads = readonly [intra: number, inter: number] | null;

const cores = os.availableParallelism();
const all: Threads = [cores, cores];
/** What `gradscope run` uses for small models. */
const single: Threads = [1, cores];

const benches: Record<string, Bench> = {
  step: {
    about: 'training step of five transformers, against PyTorch, with plain logging of norms there',
    takes: '5 min',
    parts: [
      { file: 'bench/step-large.ts', threads: all },
      { file: 'bench/step-small.ts', threads: single },
    ],
  },
  'step-text': {
    about: 'training step of the language model of configs/people.yaml, against PyTorch',
    takes: '30 s',
    parts: [{ file: 'bench/step-text.ts', threads: single }],
  },
  convnet: {
    about: 'training step of the ConvNet of mnist-qa, against PyTorch',
    takes: '30 s',
    parts: [{ file: 'bench/step-convnet.ts', threads: single }],
  },
  log: {
    about: 'gradient log: a step of each tier against one without it, 16 replicas and 1',
    takes: '8 min',
    parts: [{ file: 'bench/logging.ts', threads: single }],
  },
  interventions: {
    about: 'update with each intervention, order and stop, against the plain one; --quick: only that all run',
    takes: '5 min',
    parts: [{ file: 'bench/interventions.ts', threads: single }],
  },
  panel: {
    about: 'products of definitions and questions, against one backward pass an example, here and in PyTorch',
    takes: '2 min',
    parts: [{ file: 'bench/panel.ts', threads: all }],
  },
  probes: {
    about: 'default probes of 8 seeds of small, against their training',
    takes: '10 min',
    parts: [{ file: 'bench/probes.ts', threads: single }],
  },
  scaling: {
    about:
      'cost and memory against parameters, batch, replicas, groups, panel size, log length; --quick: fewer points',
    takes: '3 min',
    parts: [{ file: 'bench/scaling.ts', threads: null }],
  },
  start: {
    about: 'start of the program: node, node_modules/.bin, npx (needs npm run build)',
    takes: '30 s',
    parts: [{ file: 'bench/start.ts', threads: null }],
  },
  store: {
    about: 'Arrow files: writing and reading, against apache-arrow and plain bytes; --quick: smaller ones',
    takes: '2 min',
    parts: [{ file: 'bench/store.ts', threads: null }],
  },
  export: {
    about:
      'export of a 2 GB log to Parquet, Arrow and CSV, against reading its bytes (needs npm run build); --quick',
    takes: '10 min',
    parts: [{ file: 'bench/export.ts', threads: null }],
  },
  tokenizers: {
    about: 'tokenizers: rows a second, in parts, and with a cache of rows',
    takes: '30 s',
    parts: [{ file: 'bench/tokenizers.ts', threads: null }],
  },
  tui: {
    about:
      'browser: first screen, answer to a key, memory, on 200 runs, a million rows, 2 GB, against node alone and reading ' +
      'bytes; --quick: a smaller log, 2 rounds',
    takes: '8 min',
    parts: [{ file: 'bench/tui.ts', threads: null }],
  },
  memory: {
    about: 'memory over 2,000 steps with the default log, against none; --quick: 200 steps, 2 rounds',
    takes: '8 min',
    parts: [{ file: 'bench/memory.ts', threads: single }],
  },
};

/** Benches that know --quick. */
const takeQuick = new Set(['scaling', 'interventions', 'store', 'tui', 'memory', 'export']);

function help(): string {
  const width = Math.max(...Object.keys(benches).map((name) => name.length));
  const lines = Object.entries(benches).map(
    ([name, { about, takes }]) => `  ${name.padEnd(width)}  ${takes.padStart(5)}  ${about}`,
  );
  return [
    'npm run bench                    all benches',
    'npm run bench -- NAME ...        some, with the flags they take',
    '',
    'Benches, and how long each takes on two quiet cores:',
    ...lines,
    '',
    'GRADSCOPE_PYTHON names a Python with torch; without one gradscope is measured alone. Sides and sizes that are',
    'compared take turns, and medians of at least 5 rounds are printed. Compare ratios, and only beside equal product rates.',
  ].join('\n');
}

function start(file: string, threads: Threads, flags: readonly string[]): void {
  const env =
    threads === null
      ? {}
      : { TF_NUM_INTRAOP_THREADS: String(threads[0]), TF_NUM_INTEROP_THREADS: String(threads[1]) };
  const { status } = spawnSync(process.execPath, ['--expose-gc', '--import', 'tsx', file, ...flags], {
    stdio: 'inherit',
    env: { ...process.env, ...env },
  });
  if (status !== 0) process.exit(status ?? 1);
}

function main(args: readonly string[]): void {
  if (args.includes('--help') || args.includes('-h')) {
    console.log(help());
    return;
  }
  const asked = args.filter((name) => !name.startsWith('-'));
  const flags = args.filter((name) => name.startsWith('-'));
  const unknown = [
    ...asked.filter((name) => !(name in benches)),
    ...flags.filter((flag) => flag !== '--quick'),
  ];
  if (unknown.length > 0) {
    console.error(`no benchmark or flag ${unknown.join(', ')}; there are ${Object.keys(benches).join(', ')}`);
    process.exit(1);
  }
  const processor = os.cpus()[0]?.model.trim() ?? 'unknown processor';
  console.log(`${processor}, ${cores} cores, Node ${process.versions.node}`);
  for (const name of asked.length > 0 ? asked : Object.keys(benches)) {
    console.log(`\n== ${name}`);
    start('bench/rate.ts', all, []);
    for (const { file, threads } of benches[name]!.parts)
      start(file, threads, takeQuick.has(name) ? flags : []);
  }
}

main(process.argv.slice(2));
