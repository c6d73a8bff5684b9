import fs from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { nodeEnvironment, type Environment } from '../../src/store/environment.js';
import { readRunInfo } from '../../src/store/run-folder.js';
import { tables } from '../../src/store/tables/registry.js';
import { TableReader } from '../../src/store/table-reader.js';
import { readTyped } from '../../src/store/typed-table.js';
import type { Engine } from '../../src/train/engine/load.js';
import { useTestEngine } from '../train/support/engine.js';
import { finalWeights, resumeTiny, temporaryFolder, trainTiny, type TinyOptions } from './support.js';

const seeds = [0, 1];
/** A few updates of each stage, and what is cheapest to log. */
const brief = [
  'model.layers=1',
  'model.width=8',
  'model.feedForward=8',
  'model.heads=2',
  'data.variables=30',
  'stages.0.batchSize=70',
  'stages.1.batchSize=8',
  'stages.0.epochs=2',
  'stages.1.epochs=1',
  'evaluation.maxExamples=4',
  'log.tier=norms',
];

let engine: Engine;
/** Folder with the runs of both seeds, stopped behind their second update, and one with them trained to the end. */
let stopped: string;
let whole: string;

beforeAll(async () => {
  engine = await useTestEngine();
  stopped = temporaryFolder();
  await train({ root: stopped, onProgress: ({ step }, abort) => step === 2 && abort() });
  whole = temporaryFolder();
  await train({ root: whole });
});

const train = (options: Omit<TinyOptions, 'engine'>): ReturnType<typeof trainTiny> =>
  trainTiny({ seeds, ...options, engine, overrides: [...brief, ...(options.overrides ?? [])] });

const folderOf = (root: string, seed = 0): string => path.join(root, 'set-inclusion', `tiny-seed${seed}`);

function copyOf(root: string): string {
  const copy = temporaryFolder();
  fs.cpSync(root, copy, { recursive: true });
  return copy;
}

function expectWholeWeights(root: string): void {
  for (const seed of seeds) {
    const folder = folderOf(root, seed);
    expect(readRunInfo(folder).status).toBe('complete');
    expect(fs.existsSync(path.join(folder, 'lock'))).toBe(false);
    const expected = finalWeights(folderOf(whole, seed));
    const found = finalWeights(folder);
    expect([...found.keys()]).toEqual([...expected.keys()]);
    for (const [name, values] of found) expect(values, name).toEqual(expected.get(name));
  }
}

async function eventsOf(folder: string): Promise<string[]> {
  const reader = await TableReader.open(folder, 'events');
  try {
    const { rows, columns } = await readTyped(reader, tables.events, ['kind', 'message']);
    return Array.from({ length: rows }, (_, row) => `${columns.kind.text(row)}: ${columns.message[row]}`);
  } finally {
    await reader.close();
  }
}

/** This machine, where time passes at once for who waits. */
function withoutWaiting(): Environment & { waited: number } {
  const environment = {
    ...nodeEnvironment,
    waited: 0,
    elapsed: () => nodeEnvironment.elapsed() + environment.waited,
    sleep: async (ms: number) => void (environment.waited += ms),
  };
  return environment;
}

describe('a node that was lost', () => {
  /** As it leaves the folders: `run.json` says running there, the lock shows no signs of life any more. */
  function lose(root: string): void {
    for (const seed of seeds) {
      const folder = folderOf(root, seed);
      const owner = { pid: 7, host: 'n1', birth: 'another-boot 5', pidNamespace: 'pid:[4026531836]' };
      const info = { ...readRunInfo(folder), status: 'running', process: owner };
      fs.writeFileSync(path.join(folder, 'run.json'), JSON.stringify(info));
      const holder = { ...owner, started: info.started, token: `of seed ${seed}`, job: 'Slurm job 17_3' };
      fs.writeFileSync(path.join(folder, 'lock'), `${JSON.stringify(holder)}\n0000000031\n`);
    }
  }

  test.each([
    [
      'run --existing resume',
      (root: string, environment: Environment) =>
        train({ root, request: { existing: 'resume', environment } }),
    ],
    [
      'run --resume',
      (root: string, environment: Environment) =>
        resumeTiny(folderOf(root), { root, engine, request: { environment } }),
    ],
  ])('is taken over after a minute by %s, to the same weights, in streams of its own', async (_, goOn) => {
    const root = copyOf(stopped);
    lose(root);
    const streams = seeds.map((seed) => fs.openSync(path.join(folderOf(root, seed), 'steps.arrows'), 'r+'));
    const environment = withoutWaiting();
    const { end, failed, busy } = await goOn(root, environment);
    expect({ end, failed, busy }).toEqual({ end: 'complete', failed: [], busy: [] });
    // Both locks were watched together.
    expect(environment.waited).toBeGreaterThanOrEqual(60_000);
    expect(environment.waited).toBeLessThan(63_000);
    // The lost process may live: what it still writes reaches no table.
    for (const stream of streams) {
      expect(fs.fstatSync(stream).nlink).toBe(0);
      fs.closeSync(stream);
    }
    expectWholeWeights(root);
  });
});

describe('seeds that trained together, by tasks of their own', () => {
  const part = (root: string, own: number[], more: Partial<TinyOptions> = {}): ReturnType<typeof train> =>
    train({ root, seeds: own, request: { existing: 'resume' }, ...more });

  test('each goes on with its own, and leaves the other alone', async () => {
    const root = copyOf(stopped);
    const before = fs.readFileSync(path.join(folderOf(root, 1), 'run.json'), 'utf8');
    const { folders } = await part(root, [0]);
    expect(folders).toEqual([folderOf(root, 0)]);
    expect(fs.readFileSync(path.join(folderOf(root, 1), 'run.json'), 'utf8')).toBe(before);
    await part(root, [1]);
    expectWholeWeights(root);
  });

  test('and together again, from where each of them is', async () => {
    const root = copyOf(stopped);
    // Two checkpoints further than the other.
    for (const step of [3, 4])
      await part(root, [0], { onProgress: (progress, abort) => progress.step === step && abort() });
    const messages: string[] = [];
    const { end } = await part(root, seeds, {
      request: { existing: 'resume', onMessage: (text) => messages.push(text) },
    });
    expect(end).toBe('complete');
    expect(messages).toContainEqual(
      expect.stringMatching(
        /tiny-seed0: goes on without .*tiny-seed1 \(it is at step 2, and this one at 4\)/,
      ),
    );
    expectWholeWeights(root);
  });

  test('alone from their start, they have the weights that they have together', async () => {
    const root = temporaryFolder();
    for (const seed of seeds) {
      const { folders } = await part(root, [seed]);
      expect(folders).toEqual([folderOf(root, seed)]);
    }
    expectWholeWeights(root);
  });
});

describe('processes that begin the same runs', () => {
  test('a run that another one trains is left to it, and what is left is trained', async () => {
    const root = temporaryFolder();
    let other: ReturnType<typeof train> | null = null;
    await train({
      root,
      seeds: [0],
      onProgress: () => {
        other ??= train({ root, request: { existing: 'resume' } });
      },
    });
    const { end, failed, busy } = await other!;
    expect({ end, failed }).toEqual({ end: 'complete', failed: [] });
    // It may be complete by then: nothing that anybody would have to come back to.
    for (const { folder } of busy) expect(folder).toBe(folderOf(root));
    expectWholeWeights(root);
  });

  test('a run that another one began and completed since it was looked at is done', async () => {
    const root = temporaryFolder();
    let isPlaced = false;
    const environment = {
      ...nodeEnvironment,
      fs: {
        ...nodeEnvironment.fs,
        makeFolder: (folder: string) => {
          // Behind the look at the folders, and before the first lock.
          if (!isPlaced) fs.cpSync(folderOf(whole, 1), folderOf(root, 1), { recursive: true });
          isPlaced = true;
          nodeEnvironment.fs.makeFolder(folder);
        },
      },
    };
    const before = readRunInfo(folderOf(whole, 1));
    const ended = await train({ root, request: { existing: 'resume', environment } });
    expect(ended).toMatchObject({ end: 'complete', failed: [], busy: [] });
    expect(readRunInfo(folderOf(root, 1))).toEqual(before);
    expectWholeWeights(root);
  });
});

describe('on another engine, commit or processor', () => {
  test('of another engine the numbers would mix: refused in one line', async () => {
    const root = copyOf(stopped);
    const before = fs.readFileSync(path.join(folderOf(root), 'run.json'), 'utf8');
    const another: Engine = { ...engine, name: engine.name === 'cpu' ? 'wasm' : 'cpu' };
    const request = { existing: 'resume', engine: another } as const;
    const { failed } = await train({ root, request });
    expect(failed.map(({ folder }) => folder)).toEqual(seeds.map((seed) => folderOf(root, seed)));
    expect(failed[0]!.reason).toMatch(
      new RegExp(
        `^it was trained with ${engine.name} .*would mix with them; go on with --engine ${engine.name}; --existing`,
      ),
    );
    await expect(resumeTiny(folderOf(root), { root, engine, request })).rejects.toThrow(
      /cannot be resumed: it was trained with/,
    );
    expect(fs.readFileSync(path.join(folderOf(root), 'run.json'), 'utf8')).toBe(before);
  });

  test('events say who trained from where on, and what is another than at the beginning', async () => {
    const root = temporaryFolder();
    const versions = { commit: 'aaaa', node: '20.0.0' };
    const environment = { ...nodeEnvironment, job: 'Slurm job 17_3' };
    await train({
      root,
      request: { versions, environment },
      onProgress: ({ step }, abort) => step === 2 && abort(),
    });
    const later = {
      versions: { ...versions, commit: 'bbbb' },
      environment: { ...environment, job: 'Slurm job 17_3, restart 1' },
    };
    await resumeTiny(folderOf(root), { root, engine, request: later });
    const events = await eventsOf(folderOf(root));
    const who = `${engine.name} (${engine.version}, ${engine.device}), threads ${engine.threads.intraOp},${engine.threads.interOp}`;
    const here = `process ${process.pid} on ${nodeEnvironment.processes.host}`;
    expect(events[0]).toContain(`start: seed 0, `);
    expect(events[0]).toContain(`; ${who}, commit aaaa, `);
    expect(events[0]).toContain(`, ${here}, Slurm job 17_3`);
    const resumed = events.find((own) => own.startsWith('resume: '));
    expect(resumed).toContain(`resume: resumed from step 2; ${who}, commit bbbb, `);
    expect(resumed).toContain(`, ${here}, Slurm job 17_3, restart 1`);
    expect(events).toContain('warning: goes on with commit bbbb; it began with aaaa');
    expectWholeWeights(root);
  });
});
