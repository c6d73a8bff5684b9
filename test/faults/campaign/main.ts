// `npm run test:faults`: tries what can go wrong, counts what held.
import { fork, type ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command, InvalidArgumentError } from 'commander';
import type { Area, CaseResult } from './area.js';
import { areas } from './registry.js';
import { makeCrashed, makeReferences, scenarios } from './scenarios.js';
import { resultTable, type Tally } from './table.js';
import type { Task } from './run-case.js';

interface Flags {
  readonly only?: readonly string[];
  readonly seed: number;
  readonly scale: number;
  readonly count?: number;
  readonly case?: readonly number[];
  readonly workers: number;
  readonly keep?: string;
}

const whole = (text: string): number => {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new InvalidArgumentError('expected a whole number');
  return value;
};
const positive = (text: string): number => {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError('expected a number above 0');
  return value;
};
const names = (text: string): string[] => {
  const unknown = text.split(',').find((name) => !areas.some((area) => area.name === name));
  if (unknown !== undefined)
    throw new InvalidArgumentError(
      `no area ${unknown}; there are ${areas.map(({ name }) => name).join(', ')}`,
    );
  return text.split(',');
};

const {
  only,
  seed,
  scale,
  count,
  case: chosen,
  workers,
  keep,
} = new Command('npm run test:faults --')
  .description('kills, failing calls, damaged files, hostile text: tries each and counts what held')
  .option('--only <areas>', `some of: ${areas.map(({ name }) => name).join(', ')}`, names)
  .option('--seed <seed>', 'seed of all random choices', whole, 1)
  .option('--scale <factor>', 'cases as a multiple of a whole campaign', positive, 1)
  .option('--count <cases>', 'cases of each area', whole)
  .option('--case <numbers>', 'only these cases, such as 17 or 3,17', (text) => text.split(',').map(whole))
  .option('--workers <count>', 'processes at once', whole, os.availableParallelism())
  .option('--keep <folder>', 'work there, and keep the folders of cases that failed')
  .addHelpText(
    'after',
    `
Areas:
${areas.map(({ name, title, count }) => `  ${name.padEnd(14)} ${String(count).padStart(5)}  ${title}`).join('\n')}

A case follows from seed, area and number: the line of a failure says how to repeat it.`,
  )
  .parse()
  .opts<Flags>();

const started = performance.now();
const work =
  keep === undefined ? fs.mkdtempSync(path.join(os.tmpdir(), 'gradscope-faults-')) : path.resolve(keep);
const say = (line: string): void => void process.stderr.write(`${line}\n`);
const children = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL');
  if (keep === undefined) fs.rmSync(work, { recursive: true, force: true });
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

const tallies: Tally[] = [];
for (const area of areas.filter(({ name }) => only?.includes(name) ?? true))
  tallies.push(await campaign(area));
for (const line of resultTable(tallies, seed)) console.log(line);
const [held, failed] = [
  tallies.reduce((sum, tally) => sum + tally.tried - tally.failures.length, 0),
  tallies.reduce((sum, tally) => sum + tally.failures.length, 0),
];
console.log(`\nseed ${seed}, ${((performance.now() - started) / 60_000).toFixed(1)} minutes`);
console.log(`${held} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);

/** Does the cases of an area, several at once. */
async function campaign(area: Area): Promise<Tally> {
  const total = count ?? Math.max(1, Math.round(area.count * scale));
  const indices = [...(chosen ?? Array.from({ length: total }, (_, i) => i))];
  const tally: Tally = { area, tried: 0, failures: [], seconds: 0 };
  const start = performance.now();
  await makeReferences(
    work,
    scenarios.filter(({ name }) => area.needs.includes(name) || name === 'train'),
    say,
  );
  if (area.needs.includes('crashed')) await makeCrashed(work);
  let lastShown = performance.now();
  const take = async (): Promise<void> => {
    let child = startWorker();
    try {
      for (let index = indices.shift(); index !== undefined; index = indices.shift()) {
        const result = await oneCase(child, area, index);
        if (child.exitCode !== null || child.killed) child = startWorker();
        tally.tried++;
        if (result.problems.length > 0) {
          tally.failures.push({ index, ...result });
          say(`FAILED ${area.name} ${index}: ${result.what}\n  ${result.problems.slice(0, 6).join('\n  ')}`);
        }
        if (performance.now() - lastShown > 10_000) {
          lastShown = performance.now();
          say(`${area.name}: ${tally.tried} tried, ${tally.failures.length} failed, ${indices.length} to go`);
        }
      }
    } finally {
      children.delete(child);
      child.kill('SIGKILL');
    }
  };
  await Promise.all(Array.from({ length: Math.min(Math.max(1, workers), indices.length) }, take));
  tally.seconds = (performance.now() - start) / 1000;
  say(`${area.name}: ${tally.tried} tried, ${tally.failures.length} failed, ${tally.seconds.toFixed(0)} s`);
  return tally;
}

function startWorker(): ChildProcess {
  const file = path.join(path.dirname(fileURLToPath(import.meta.url)), 'worker.ts');
  const child = fork(file, { execArgv: ['--import', 'tsx'], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  children.add(child);
  return child;
}

/** One case in a worker; a worker that does not answer in time is killed. */
async function oneCase(child: ChildProcess, area: Area, index: number): Promise<CaseResult> {
  const task: Task = { area: area.name, index, seed, work, keep: keep !== undefined };
  return new Promise((resolve) => {
    const end = (result: CaseResult): void => {
      clearTimeout(timer);
      child.removeAllListeners('message');
      child.removeAllListeners('exit');
      resolve(result);
    };
    const timer = setTimeout(() => {
      children.delete(child);
      child.kill('SIGKILL');
      end({ what: 'did not end', problems: [`no answer after ${area.limit} s`] });
    }, area.limit * 1000);
    child.once('message', (result: CaseResult) => end(result));
    child.once('exit', (code, signal) => {
      children.delete(child);
      end({ what: 'the process ended', problems: [`its process ended (${code ?? signal})`] });
    });
    child.send(task);
  });
}
