import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createElement } from 'react';
import { render } from 'ink';
import { nodeEnvironment } from '../src/store/environment.js';
import { asStreams, FakeStdin, FakeStdout } from '../test/tui/support/streams.js';
import { writeRun } from '../test/tui/support/fixture-run.js';
import { nodeEffects } from '../tui/effects.js';
import { App } from '../tui/ink/App.js';
import { BrowserSession } from '../tui/session/session.js';
import { median, printTable, takeTurns } from './support.js';
import { gradientRows, logBytes, writeLongRun } from './tui-runs.js';

/**
 * The browser on a folder of 200 runs, a run with a million rows of `gradients`, and a log of 2 GB: time to the first
 * screen, time from a key to the bytes on the terminal that answer it, and memory. Folders take turns in every round, with
 * what no browser can be faster than: node alone in the same terminal, and reading the bytes of the log (here the browser
 * answers keys meanwhile, a second of them at least).
 * `GRADSCOPE_BENCH_GB` makes the log smaller; --quick: 0.2 GB, 2 rounds.
 */
const isQuick = process.argv.includes('--quick');
const gigabytes = Number(process.env['GRADSCOPE_BENCH_GB'] ?? (isQuick ? 0.2 : 2));
const rounds = isQuick ? 2 : 5;
const size = { width: 120, height: 40 };

/** One measurement in a process of its own, so that nothing is warm and memory is its own. */
interface Measured {
  readonly openMs: number;
  readonly keys: readonly number[];
  readonly whileReading: readonly number[];
  readonly readMs: number;
  readonly peakMb: number;
}

/** Keys of one view after the other: moving, sorting, drawing charts, zooming. */
const walk = Array.from(
  'jjjjkkGgsSs' +
    '2]]]]hhhhhh++>>-0L[[[' +
    '4jjjjjjjjGkkkkkkgjjj]' +
    '5\t' +
    '8\t\t' +
    '7\tjjj' +
    '3\t' +
    '1jk',
);

class FakeTerminal {
  readonly out = new FakeStdout(() => ({ columns: size.width, rows: size.height }));
  readonly in = new FakeStdin();
}

async function measure(root: string): Promise<Measured> {
  const screen = new FakeTerminal();
  const started = performance.now();
  const session = new BrowserSession({
    root,
    environment: nodeEnvironment,
    effects: nodeEffects(
      () => {},
      () => {},
    ),
    style: { colour: true, ascii: false, screenReader: false },
    box: size,
  });
  await session.open();
  const app = render(createElement(App, { session }), {
    ...asStreams(screen.out, screen.in),
    exitOnCtrlC: false,
    patchConsole: false,
    maxFps: 60,
  });
  session.measureGaps();
  while (!screen.out.written.includes('[1 runs]')) await setTimeout(1);
  const openMs = performance.now() - started;
  // The log is read for curves over training while keys are pressed.
  const reading = performance.now();
  await press(screen, '3');
  const whileReading: number[] = [];
  for (let i = 0; i < 40; i++) whileReading.push(await press(screen, i % 2 === 0 ? '4' : '3'));
  await session.settled();
  const readMs = performance.now() - reading;
  await press(screen, '1');
  const keys: number[] = [];
  for (const key of walk) {
    const answered = await press(screen, key);
    if (!Number.isNaN(answered)) keys.push(answered);
    await session.settled();
  }
  const peakMb = process.resourceUsage().maxRSS / 1024;
  app.unmount();
  await session.close();
  return { openMs, keys, whileReading: whileReading.filter((own) => !Number.isNaN(own)), readMs, peakMb };
}

/** Milliseconds from a key to the first bytes that answer it; NaN for a key that changes nothing on screen. */
async function press(screen: FakeTerminal, key: string): Promise<number> {
  const before = screen.out.written.length;
  const started = performance.now();
  screen.in.type(key);
  while (screen.out.written.length === before && performance.now() - started < 1000) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  const answered = screen.out.written.length === before ? NaN : performance.now() - started;
  // Keys come one by one: Ink draws at most 60 times a second.
  await setTimeout(25);
  return answered;
}

let servers = 0;

/** Seconds from a command line to what it shows, in tmux; NaN where there is no tmux. */
async function untilShown(command: string, shown: RegExp): Promise<number> {
  // A server that was told to end may still answer: each has a name of its own.
  const server = `gradscope-bench-${process.pid}-${servers++}`;
  const tmux = (...args: string[]) =>
    spawnSync('tmux', ['-u', '-L', server, ...args], {
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C.UTF-8' },
    });
  if (tmux('-V').status !== 0 || !fs.existsSync(program)) return NaN;
  tmux('new-session', '-d', '-x', String(size.width), '-y', String(size.height), 'sh');
  try {
    await setTimeout(500);
    tmux('send-keys', '-l', command);
    const started = performance.now();
    tmux('send-keys', 'Enter');
    while (!shown.test(tmux('capture-pane', '-p').stdout)) {
      if (performance.now() - started > 10_000) {
        console.error(tmux('capture-pane', '-p').stdout);
        return NaN;
      }
      await setTimeout(5);
    }
    return (performance.now() - started) / 1000;
  } finally {
    tmux('kill-server');
  }
}

const program = path.resolve('dist/src/cli/main.js');

const firstScreen = (root: string): Promise<number> =>
  untilShown(`env -u CI node ${program} tui ${root}`, /\[1 runs\][^]*complete/);

/** The same of a program that prints a line: what is typed does not hold it. */
const nodeAlone = (): Promise<number> => untilShown(`node -e 'console.log(1e3 + 1)'`, /^1001$/m);

/** Seconds in which the bytes of a run's log are read and nothing is made of them. */
function readBytes(root: string): number {
  const log = new Set(['gradients.arrow', 'gram.arrow']);
  const started = performance.now();
  for (const file of fs.readdirSync(root, { recursive: true, encoding: 'utf8' })) {
    if (!log.has(path.basename(file))) continue;
    const from = fs.openSync(path.join(root, file), 'r');
    const piece = new Uint8Array(2 ** 22);
    while (fs.readSync(from, piece) > 0);
    fs.closeSync(from);
  }
  return (performance.now() - started) / 1000;
}

const quantile = (values: readonly number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(share * values.length))] ?? NaN;

/** Starts this file again for one folder and takes what it prints. */
function measureApart(root: string): Measured {
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ['--import', 'tsx', fileURLToPath(import.meta.url), root],
    { encoding: 'utf8', env: { ...process.env, CI: 'false', NODE_ENV: 'production' }, maxBuffer: 2 ** 26 },
  );
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout.trim().split('\n').at(-1)!) as Measured;
}

async function main(): Promise<void> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'gradscope-bench-tui-'));
  try {
    const many = path.join(folder, 'runs');
    for (let seed = 0; seed < 200; seed++) await writeRun(path.join(many, `experiment${seed % 4}`), seed);
    const million = path.join(folder, 'million');
    await writeLongRun(million, 'million', { steps: Math.ceil(1e6 / gradientRows), gram: true });
    const large = path.join(folder, 'large');
    await writeLongRun(large, 'large', { steps: Math.ceil((gigabytes * 1e9) / logBytes), gram: true });
    const screens = await takeTurns(rounds, {
      many: () => firstScreen(many),
      million: () => firstScreen(million),
      large: () => firstScreen(large),
      node: nodeAlone,
    });
    const measured = await takeTurns(
      rounds,
      {
        many: () => ({ ...measureApart(many), plain: NaN }),
        million: () => ({ ...measureApart(million), plain: readBytes(million) }),
        large: () => ({ ...measureApart(large), plain: readBytes(large) }),
      },
      false,
    );
    const ratioOf = (own: readonly number[], peer: readonly number[]): string => {
      const ratio = median(own.map((value, round) => value / peer[round]!));
      return Number.isNaN(ratio) ? '' : ratio.toFixed(1);
    };
    const rows = (
      [
        ['200 runs', 'many'],
        ['a million rows of gradients', 'million'],
        [`a log of ${gigabytes} GB`, 'large'],
      ] as const
    ).map(([name, place]) => {
      const own = measured[place];
      const keys = own.flatMap((round) => round.keys);
      const whileReading = own.flatMap((round) => round.whileReading);
      const seconds = own.map(({ readMs }) => readMs / 1000);
      return [
        name,
        median(screens[place]).toFixed(2),
        ratioOf(screens[place], screens.node),
        (median(own.map(({ openMs }) => openMs)) / 1000).toFixed(2),
        `${median(keys).toFixed(0)} / ${quantile(keys, 0.95).toFixed(0)} / ${Math.max(...keys).toFixed(0)}`,
        `${median(whileReading).toFixed(0)} / ${quantile(whileReading, 0.95).toFixed(0)}`,
        median(seconds).toFixed(1),
        ratioOf(
          seconds,
          own.map(({ plain }) => plain),
        ),
        median(own.map(({ peakMb }) => peakMb)).toFixed(0),
      ];
    });
    printTable(
      `Browser, ${size.width} x ${size.height}; medians of ${rounds} rounds in which folders and peers take turns`,
      [
        '',
        'first screen in tmux, s',
        'of node alone',
        'session opened, s',
        'key, ms (median / 95 % / most)',
        'key while the log is read, ms',
        'whole log read, s',
        'of its bytes',
        'peak memory, MB',
      ],
      rows,
    );
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

const only = process.argv.slice(2).find((word) => !word.startsWith('-'));
if (only === undefined) await main();
else {
  console.log(JSON.stringify(await measure(only)));
  process.exit(0);
}
