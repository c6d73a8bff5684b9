import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { leastSquares } from '../src/analysis/inference/trend/least-squares.js';
import type { PointAnswer } from './scaling-point.js';
import { sweeps, type Point, type Sweep } from './scaling-sweeps.js';
import { median, printTable } from './support.js';
import { writeLongRun } from './tui-runs.js';

/**
 * Cost and memory against what a person can make larger, one quantity at a time. Cost, the processor time of all threads,
 * is fitted as `a size^b` by least squares on logarithms over all sizes; where small sizes pay mostly a fixed cost, b lies below what the work itself
 * grows by, and b between the two largest sizes says more.
 *
 *     npm run bench -- scaling [--quick]      --quick: 3 sizes a sweep
 */
const rounds = 5;
const quick = process.argv.includes('--quick');

/** A size of a sweep in its process. */
class PointProcess {
  private constructor(private readonly child: ChildProcess) {}

  static async start(point: Point): Promise<{ process: PointProcess; ready: PointAnswer }> {
    const child = fork('bench/scaling-point.ts', [JSON.stringify(point)], {
      execArgv: ['--expose-gc', '--import', 'tsx'],
    });
    const own = new PointProcess(child);
    return { process: own, ready: await own.next() };
  }

  take(): Promise<PointAnswer> {
    this.child.send('take');
    return this.next();
  }

  close(): void {
    this.child.kill();
  }

  private async next(): Promise<PointAnswer> {
    const ended = new AbortController();
    const message = once(this.child, 'message', ended).then(([answer]) => answer as PointAnswer);
    const end = once(this.child, 'exit', ended).then(([code]): never => {
      throw new Error(`a size could not be measured: its process ended with ${String(code)}`);
    });
    try {
      return await Promise.race([message, end]);
    } finally {
      // What has not happened is waited for no longer.
      Promise.allSettled([message, end]).catch(() => {});
      ended.abort();
    }
  }
}

/** Medians of one size. */
interface Result {
  readonly size: number;
  readonly ms: number;
  readonly processorMs: number;
  readonly peakMb: number;
  readonly plannedBytes: number | null;
}

async function measure({ points }: Sweep): Promise<Result[]> {
  const running: { process: PointProcess; ready: PointAnswer }[] = [];
  try {
    for (const point of points) running.push(await PointProcess.start(point));
    const answers = running.map((): PointAnswer[] => []);
    for (let round = 0; round < rounds; round++)
      for (const [i, { process }] of running.entries()) answers[i]!.push(await process.take());
    return answers.map((own, i) => ({
      size: running[i]!.ready.size,
      plannedBytes: running[i]!.ready.plannedBytes,
      ms: median(own.map(({ ms }) => ms)),
      processorMs: median(own.map(({ processorMs }) => processorMs)),
      peakMb: own.at(-1)!.peakMb,
    }));
  } finally {
    for (const { process } of running) process.close();
  }
}

/** `b [low, high]` of `y = a x^b`, 95 % interval of the fit. */
function exponent(results: readonly Result[], of: (result: Result) => number): string {
  const fit = leastSquares(
    results.map((result) => Math.log(of(result))),
    [{ name: 'size', values: results.map(({ size }) => Math.log(size)) }],
  );
  if (fit.kind === 'absent') return fit.reason;
  const { effect } = fit.coefficients[0]!;
  if (effect.kind === 'absent') return effect.reason;
  const interval =
    effect.interval === null ? '' : ` [${effect.interval.map((end) => end.toFixed(2)).join(', ')}]`;
  return effect.estimate.toFixed(2) + interval;
}

/** b between the two largest sizes. */
function lastExponent(results: readonly Result[], of: (result: Result) => number): string {
  const [a, b] = results.slice(-2);
  return (Math.log(of(b!) / of(a!)) / Math.log(b!.size / a!.size)).toFixed(2);
}

/** Bytes that one unit more takes, from the two largest sizes: the fixed part drops out. */
function bytesPerUnit(results: readonly Result[]): string {
  const [a, b] = results.slice(-2);
  return (((b!.peakMb - a!.peakMb) * 1e6) / (b!.size - a!.size)).toPrecision(2);
}

const root = fs.mkdtempSync(path.join(os.tmpdir(), 'gradscope-bench-scaling-'));
try {
  const folderOf = (steps: number): string => path.join(root, `steps${steps}-seed0`);
  const all = sweeps(quick, folderOf);
  for (const { points } of all)
    for (const point of points)
      if (point.kind === 'log')
        await writeLongRun(root, `steps${point.steps}`, { steps: point.steps, gram: false });
  const fits: string[][] = [];
  for (const sweep of all) {
    const results = await measure(sweep);
    const first = results[0]!;
    printTable(
      `${sweep.name}: ${sweep.about}`,
      ['size', 'ms', 'processor ms', 'per unit, of the first', 'memory MB', 'planned MB'],
      results.map(({ size, ms, processorMs, peakMb, plannedBytes }) => [
        size.toLocaleString('en'),
        ms.toFixed(2),
        processorMs.toFixed(2),
        (processorMs / size / (first.processorMs / first.size)).toFixed(2),
        peakMb.toFixed(0),
        plannedBytes === null ? '-' : (plannedBytes / 1e6).toFixed(0),
      ]),
    );
    const time = ({ processorMs }: Result): number => processorMs;
    const memory = ({ peakMb }: Result): number => peakMb;
    fits.push([
      sweep.name,
      sweep.expected,
      exponent(results, time),
      lastExponent(results, time),
      exponent(results, memory),
      lastExponent(results, memory),
      bytesPerUnit(results),
    ]);
  }
  printTable(
    `Exponents b of cost = a size^b, with 95 % intervals of the fit over all sizes; medians of ${rounds} rounds in which sizes take turns`,
    ['', 'by arithmetic', 'processor time', 'two largest', 'memory', 'two largest', 'bytes a unit'],
    fits,
  );
  console.log(
    'memory: most resident memory of a process beyond that of program and engine at rest; bytes a unit: between the two largest sizes',
  );
} finally {
  fs.rmSync(root, { recursive: true });
}
