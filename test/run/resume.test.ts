import { checkpointPath } from '../../src/store/checkpoint-path.js';
import fs from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { checkpointSteps, readCheckpoint } from '../../src/run/checkpoint.js';
import { nodeEnvironment, type Environment } from '../../src/store/environment.js';
import { nodeFileSystem, type FileSystem } from '../../src/store/file-system.js';
import { recoverRun } from '../../src/store/recover.js';
import { readRunInfo } from '../../src/store/run-folder.js';
import { tables } from '../../src/store/tables/registry.js';
import { listTables, TableReader } from '../../src/store/table-reader.js';
import { readTyped } from '../../src/store/typed-table.js';
import type { Engine } from '../../src/train/engine/load.js';
import { useTestEngine } from '../train/support/engine.js';
import { finalWeights, resumeTiny, temporaryFolder, trainTiny, type TinyOptions } from './support.js';

const seeds = [0, 1];
/** Two updates of each stage; nothing but the tables that every run has. */
const brief = [
  'model.layers=1',
  'model.width=8',
  'model.feedForward=8',
  'model.heads=2',
  'data.variables=30',
  'stages.0.batchSize=70',
  'stages.1.batchSize=8',
  'stages.0.epochs=1',
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

const resume = (
  folder: string,
  options: Partial<TinyOptions> = {},
): ReturnType<typeof resumeTiny> & Promise<unknown> =>
  resumeTiny(folder, { root: path.dirname(path.dirname(folder)), engine, ...options });

const folderOf = (root: string, seed = 0): string => path.join(root, 'set-inclusion', `tiny-seed${seed}`);

/** A folder with copies of runs. */
function copyOf(root: string): string {
  const copy = temporaryFolder();
  fs.cpSync(root, copy, { recursive: true });
  return copy;
}

const stepsDone = (folder: string): number => readRunInfo(folder).stepsDone;
const total = (): number => readRunInfo(folderOf(whole)).stepsTotal;

function expectWholeWeights(folder: string, seed: number): void {
  const expected = finalWeights(folderOf(whole, seed));
  for (const [name, values] of finalWeights(folder)) expect(values, name).toEqual(expected.get(name));
}

/** That nothing of runs is locked or says that it runs. */
function expectAtRest(root: string): void {
  for (const seed of seeds) {
    expect(fs.existsSync(path.join(folderOf(root, seed), 'lock'))).toBe(false);
    expect(readRunInfo(folderOf(root, seed)).status).not.toBe('running');
  }
}

async function eventsOf(folder: string): Promise<string[]> {
  const reader = await TableReader.open(folder, 'events');
  try {
    const { rows, columns } = await readTyped(reader, tables.events, ['kind']);
    return Array.from({ length: rows }, (_, row) => columns.kind.text(row));
  } finally {
    await reader.close();
  }
}

describe('a run is the folder that was given', () => {
  test('a copy beside its original goes on by itself', async () => {
    const root = copyOf(stopped);
    const copy = path.join(root, 'set-inclusion', 'My copy');
    fs.cpSync(folderOf(root), copy, { recursive: true });
    const messages: string[] = [];
    const { folders } = await resume(copy, { request: { onMessage: (text) => messages.push(text) } });
    expect(folders).toEqual([copy]);
    expect(messages.join('\n')).toContain('is a copy of a run beside it, and goes on by itself');
    expect(readRunInfo(copy).status).toBe('complete');
    expect(seeds.map((seed) => stepsDone(folderOf(root, seed)))).toEqual([2, 2]);
    expect(readRunInfo(copy).group).not.toBe(readRunInfo(folderOf(root)).group);
    // The original is still the one that trains with its sibling.
    await resume(folderOf(root));
    expectWholeWeights(folderOf(root), 0);
    expectWholeWeights(folderOf(root, 1), 1);
  });

  test('renamed, it takes its sibling along; moved alone, it goes on without', async () => {
    const root = copyOf(stopped);
    const renamed = path.join(root, 'set-inclusion', 'renamed');
    fs.renameSync(folderOf(root), renamed);
    expect((await resume(renamed)).folders).toEqual([renamed, folderOf(root, 1)]);
    expectWholeWeights(renamed, 0);
    expectWholeWeights(folderOf(root, 1), 1);

    const alone = path.join(temporaryFolder(), 'moved');
    fs.renameSync(folderOf(copyOf(stopped)), alone);
    expect((await resume(alone)).folders).toEqual([alone]);
    expect(readRunInfo(alone).status).toBe('complete');
  });

  test('through a link elsewhere, it is the folder behind the link, with its sibling', async () => {
    const root = copyOf(stopped);
    const link = path.join(temporaryFolder(), 'link');
    fs.symlinkSync(folderOf(root), link);
    expect((await resume(link)).folders).toEqual([link, folderOf(root, 1)]);
    for (const seed of seeds) expectWholeWeights(folderOf(root, seed), seed);
  });

  test('names of siblings in run.json lead nowhere else', async () => {
    const root = copyOf(stopped);
    const victim = path.join(temporaryFolder(), 'victim');
    fs.cpSync(folderOf(root, 1), victim, { recursive: true });
    const file = path.join(folderOf(root), 'run.json');
    const info = readRunInfo(folderOf(root));
    const relative = path.relative(path.join(root, 'set-inclusion'), victim);
    fs.writeFileSync(file, JSON.stringify({ ...info, siblings: [relative, '/', 'tiny-seed0'] }));
    await expect(resume(folderOf(root))).rejects.toThrow(/run\.json: siblings\.0: expected/);
    // Nor do names that are none of paths, but of no sibling.
    fs.cpSync(victim, path.join(root, 'set-inclusion', 'victim'), { recursive: true });
    fs.writeFileSync(file, JSON.stringify({ ...info, group: 'another', siblings: ['tiny-seed0', 'victim'] }));
    expect((await resume(folderOf(root))).folders).toEqual([folderOf(root)]);
    expect([victim, path.join(root, 'set-inclusion', 'victim')].map(stepsDone)).toEqual([2, 2]);
  });

  test('runs of a version without groups are known by their names', async () => {
    const root = copyOf(stopped);
    for (const seed of seeds) {
      const { group: _, configHash: _hash, ...info } = readRunInfo(folderOf(root, seed));
      fs.writeFileSync(path.join(folderOf(root, seed), 'run.json'), JSON.stringify(info));
    }
    expect((await resume(folderOf(root, 1))).folders).toEqual(seeds.map((seed) => folderOf(root, seed)));
    for (const seed of seeds) expectWholeWeights(folderOf(root, seed), seed);
  });
});

describe('config.yaml, run.json and checkpoints belong together', () => {
  const edit = (folder: string, from: RegExp, to: string): void => {
    const file = path.join(folder, 'config.yaml');
    const text = fs.readFileSync(file, 'utf8');
    expect(text).toMatch(from);
    fs.writeFileSync(file, text.replace(from, to));
  };

  test.each([
    [
      'another length of a stage',
      /epochs: 1\n/,
      'epochs: 9\n',
      /stage1\.steps is \d+ by config\.yaml and \d+ by/,
    ],
    ['another number inside', /beta2: [\d.]+/, 'beta2: 0.5', /its hash in run\.json is another/],
  ])('%s is refused in one line, and nothing changes', async (_, from, to, reason) => {
    const root = copyOf(stopped);
    for (const seed of seeds) edit(folderOf(root, seed), from, to);
    const error: unknown = await resume(folderOf(root)).catch((own: unknown) => own);
    expect(String(error)).toMatch(/config\.yaml is not the one that the run began with/);
    expect(String(error)).toMatch(reason);
    expect(String(error)).not.toContain('\n');
    expectAtRest(root);
    expect(stepsDone(folderOf(root))).toBe(2);
  });

  test('comments, line ends, and a default that is left out are no change', async () => {
    const root = copyOf(stopped);
    edit(folderOf(root), /^/, '# mine\r\n');
    edit(folderOf(root), /  normalisation: example\n/, '  normalisation: example # as before\r\n');
    edit(folderOf(root, 1), /\n {2}keep: stages/, '');
    const { end } = await train({ root, request: { existing: 'resume' } });
    expect(end).toBe('complete');
    for (const seed of seeds) expectWholeWeights(folderOf(root, seed), seed);
  });

  test('a checkpoint of another config, or of other data, is no checkpoint of the run', async () => {
    const root = copyOf(stopped);
    const other = temporaryFolder();
    const stop = {
      onProgress: ({ step }: { step: number }, abort: () => void) => void (step === 2 && abort()),
    };
    await train({ root: other, ...stop, overrides: ['stages.1.clipNorm=3'] });
    for (const step of checkpointSteps(folderOf(root)))
      fs.copyFileSync(checkpointPath(folderOf(other), step), checkpointPath(folderOf(root), step));
    await expect(resume(folderOf(root))).rejects.toThrow(
      /is no checkpoint of this run: the hash of the config in it is not that of run\.json/,
    );
    expectAtRest(root);
  });

  test('a sibling whose config was changed is left out by name', async () => {
    const root = copyOf(stopped);
    edit(folderOf(root, 1), /beta2: [\d.]+/, 'beta2: 0.5');
    const messages: string[] = [];
    const { folders } = await resume(folderOf(root), {
      request: { onMessage: (text) => messages.push(text) },
    });
    expect(folders).toEqual([folderOf(root)]);
    expect(messages.join('\n')).toContain(`goes on without ${folderOf(root, 1)} (its config is another)`);
  });
});

describe('a damaged checkpoint', () => {
  const cut = (folder: string, step: number): void => fs.truncateSync(checkpointPath(folder, step), 1000);

  test('is passed over for the one before it that all have', async () => {
    const root = copyOf(stopped);
    cut(folderOf(root, 1), 2);
    const messages: string[] = [];
    await resume(folderOf(root), { request: { onMessage: (text) => messages.push(text) } });
    expect(messages.join('\n')).toMatch(/step-0+2\.safetensors: .*; going on from step 1/);
    for (const seed of seeds) expectWholeWeights(folderOf(root, seed), seed);
    expect(await eventsOf(folderOf(root))).toContain('warning');
  });

  test('where there is none before it, the reason is one line and nothing stays locked', async () => {
    const root = copyOf(stopped);
    for (const step of checkpointSteps(folderOf(root, 1))) cut(folderOf(root, 1), step);
    await expect(resume(folderOf(root))).rejects.toThrow(
      /step-0+2\.safetensors: .*; no checkpoint before it can be used; begin anew with --existing overwrite/,
    );
    expectAtRest(root);
    // Which does begin anew.
    await train({ root, request: { existing: 'overwrite' } });
    for (const seed of seeds) expectWholeWeights(folderOf(root, seed), seed);
  });
});

/** Fails a call for good once `due` says so: the process is as good as killed there. */
function failing(due: (call: string, path: string) => boolean): Environment {
  let dead = false;
  const guard = (call: string, file: string): void => {
    dead ||= due(call, file);
    if (dead) throw Object.assign(new Error('EIO: i/o error'), { code: 'EIO' });
  };
  const fs: FileSystem = {
    ...nodeFileSystem,
    open: (file, mode) => (guard('open', file), nodeFileSystem.open(file, mode)),
    write: (fd, chunks, position) => (guard('write', ''), nodeFileSystem.write(fd, chunks, position)),
    rename: (from, to) => (guard('rename', to), nodeFileSystem.rename(from, to)),
    remove: (file) => (guard('remove', file), nodeFileSystem.remove(file)),
  };
  return { ...nodeEnvironment, fs };
}

describe('stopped while its tables become files', () => {
  test.each([
    [
      'before the first one',
      (call: string, file: string) => call === 'open' && file.includes('steps.arrow.'),
    ],
    ['behind some', (call: string, file: string) => call === 'open' && file.includes('metrics.arrow.')],
    [
      'between the name of a file and the end of its stream',
      (call: string, file: string) => call === 'remove' && file.endsWith('gradients.arrows'),
    ],
    [
      'before the last one',
      (call: string, file: string) => call === 'rename' && file.endsWith('events.arrow'),
    ],
  ])('%s, the same call finishes the run', async (_, due) => {
    const root = copyOf(stopped);
    const environment = failing(due);
    await expect(resume(folderOf(root), { request: { environment } })).rejects.toThrow(/EIO/);
    for (const seed of seeds) fs.rmSync(path.join(folderOf(root, seed), 'lock'), { force: true });
    const { end, failed } = await train({ root, request: { existing: 'resume' } });
    expect({ end, failed }).toEqual({ end: 'complete', failed: [] });
    for (const seed of seeds) {
      const folder = folderOf(root, seed);
      expect(readRunInfo(folder)).toMatchObject({ status: 'complete', stepsDone: total(), failure: null });
      expect(fs.readdirSync(folder).filter((name) => name.endsWith('.arrows'))).toEqual([]);
      expect(await listTables(folder)).toEqual(await listTables(folderOf(whole, seed)));
      for (const table of ['steps', 'metrics', 'gradients']) {
        const [own, other] = [folder, folderOf(whole, seed)].map((run) =>
          fs.readFileSync(path.join(run, `${table}.arrow`)),
        );
        if (table !== 'steps') expect(own!.equals(other!), table).toBe(true);
      }
      expectWholeWeights(folder, seed);
    }
  });
});

describe('stopped before anything was trained', () => {
  /** As a kill leaves it: run.json says running, the process is gone, tables have begun, one has a checkpoint or none. */
  function killedEarly(checkpoints: number): string {
    const root = copyOf(stopped);
    for (const seed of seeds) {
      const folder = folderOf(root, seed);
      const info = readRunInfo(folder);
      const gone = {
        ...info,
        status: 'running',
        stepsDone: 0,
        process: { ...info.process, pid: 2 ** 22 + 1 },
      };
      fs.writeFileSync(path.join(folder, 'run.json'), JSON.stringify(gone));
      for (const step of checkpointSteps(folder))
        if (step > 0 || seed >= checkpoints) fs.rmSync(checkpointPath(folder, step));
    }
    return root;
  }

  test.each([0, 1])(
    'with checkpoints of %i of 2 runs, every way to go on begins anew',
    async (checkpoints) => {
      const ways = [
        (root: string) => train({ root, request: { existing: 'resume' } }),
        (root: string) => resume(folderOf(root, 1)),
        (root: string) => resume(folderOf(root, 0)),
      ];
      for (const way of ways) {
        const root = killedEarly(checkpoints);
        expect((await way(root)).end).toBe('complete');
        for (const seed of seeds) {
          expectWholeWeights(folderOf(root, seed), seed);
          expect(await eventsOf(folderOf(root, seed))).toEqual(await eventsOf(folderOf(whole, seed)));
          // Once, together: a run that its sibling took along is not trained a second time, by itself.
          expect(readRunInfo(folderOf(root, seed)).siblings).toEqual(seeds.map((own) => `tiny-seed${own}`));
        }
      }
    },
  );
});

test('at its start, without the sibling that it began with, a run begins again together with it', async () => {
  const root = copyOf(stopped);
  for (const step of checkpointSteps(folderOf(root)).slice(1))
    fs.rmSync(checkpointPath(folderOf(root), step));
  fs.rmSync(folderOf(root, 1), { recursive: true });
  await expect(train({ root })).rejects.toThrow(/continue it with --existing resume/);
  await train({ root, request: { existing: 'resume' } });
  for (const seed of seeds) {
    expectWholeWeights(folderOf(root, seed), seed);
    expect(readRunInfo(folderOf(root, seed)).siblings).toEqual(seeds.map((other) => `tiny-seed${other}`));
  }
});

test('the lock of a complete run goes when its process is dead, and stays when it lives', async () => {
  const root = copyOf(whole);
  const { process: gone } = readRunInfo(folderOf(root));
  const owner = (seed: number, pid: number): void =>
    fs.writeFileSync(
      path.join(folderOf(root, seed), 'lock'),
      JSON.stringify({ ...gone, pid, started: new Date(0).toISOString() }),
    );
  owner(0, 2 ** 22 + 1);
  owner(1, process.pid);
  const messages: string[] = [];
  await train({ root, request: { onMessage: (text) => messages.push(text) } });
  expect(messages.join('\n')).toContain('2 of 2 runs are complete already');
  expect(seeds.map((seed) => fs.existsSync(path.join(folderOf(root, seed), 'lock')))).toEqual([false, true]);
});

describe('a start that fails leaves nothing', () => {
  test('when a later folder cannot be made', async () => {
    const root = temporaryFolder();
    fs.mkdirSync(path.join(root, 'set-inclusion'));
    fs.writeFileSync(folderOf(root, 1), '');
    await expect(train({ root })).rejects.toThrow(/tiny-seed1/);
    expect(fs.readdirSync(path.join(root, 'set-inclusion'))).toEqual(['tiny-seed1']);
  });

  test('when the first checkpoint cannot be written', async () => {
    const root = temporaryFolder();
    const environment = failing(() => false);
    const full: FileSystem = {
      ...environment.fs,
      open: (file, mode) => {
        if (file.includes('safetensors')) throw Object.assign(new Error('ENOSPC: full'), { code: 'ENOSPC' });
        return nodeFileSystem.open(file, mode);
      },
    };
    await expect(train({ root, request: { environment: { ...environment, fs: full } } })).rejects.toThrow(
      /ENOSPC/,
    );
    expect(fs.readdirSync(path.join(root, 'set-inclusion'))).toEqual([]);
  });

  test('when one seed does not fit into memory, before anything is made', async () => {
    const root = temporaryFolder();
    await expect(train({ root, request: { memory: () => 1e5 } })).rejects.toThrow(
      /^one seed needs about [\d,]+ MB of memory and 1 MB are available; most of it, .* make that smaller$/,
    );
    expect(fs.readdirSync(root)).toEqual([]);
  });
});

test('checkpoints are those of a run that was never stopped, also behind the last update of a stage', async () => {
  const kept = checkpointSteps(folderOf(whole));
  const { stages } = readRunInfo(folderOf(whole));
  const endOfFirst = stages[1]!.firstStep;
  expect(kept).toContain(endOfFirst);
  const contentOf = (folder: string, step: number): unknown => {
    const { position, parameters, optimizer } = readCheckpoint(folder, step);
    return { position, parameters, optimizer };
  };
  for (const last of [endOfFirst - 1, endOfFirst]) {
    const root = temporaryFolder();
    await train({ root, onProgress: ({ step }, abort) => step === last && abort() });
    expect(stepsDone(folderOf(root)), `stopped at ${last}`).toBe(last);
    await resume(folderOf(root));
    for (const step of kept)
      expect(contentOf(folderOf(root), step), `stopped at ${last}, checkpoint ${step}`).toEqual(
        contentOf(folderOf(whole), step),
      );
  }
});

test('events are what happened, also where the training behind them was taken back', async () => {
  const root = copyOf(stopped);
  const stopAt = (last: number) => ({
    onProgress: ({ step }: { step: number }, abort: () => void) => void (step === last && abort()),
  });
  await resume(folderOf(root), stopAt(3));
  await resume(folderOf(root));
  const kinds = await eventsOf(folderOf(root));
  expect(kinds.filter((kind) => kind === 'interrupt')).toHaveLength(2);
  expect(kinds.filter((kind) => kind === 'resume')).toHaveLength(2);
  expect([kinds[0], kinds.at(-1)]).toEqual(['start', 'end']);
  expect(kinds).toContain('checkpoint');
});

describe('while it trains', () => {
  const during = (
    act: (root: string) => void,
    overrides: readonly string[] = [],
  ): { root: string; ended: ReturnType<typeof train> } => {
    const root = temporaryFolder();
    let done = false;
    const ended = train({
      root,
      overrides: ['stages.1.epochs=20', 'checkpoint.everySeconds=0.01', ...overrides],
      onProgress: ({ step }) => {
        if (step < 2 || done) return;
        done = true;
        act(root);
      },
    });
    return { root, ended };
  };

  test('a removed run folder ends it at the next checkpoint', async () => {
    const { root, ended } = during((own) => fs.rmSync(folderOf(own, 1), { recursive: true }));
    await expect(ended).rejects.toThrow(/tiny-seed1: was removed or moved while the run wrote it/);
    expect(fs.existsSync(folderOf(root, 1))).toBe(false);
    expect(readRunInfo(folderOf(root)).status).toBe('interrupted');
  });

  test('a removed stream ends it at the next checkpoint', async () => {
    const { ended } = during((own) => fs.rmSync(path.join(folderOf(own), 'gradients.arrows')));
    await expect(ended).rejects.toThrow(/gradients\.arrows: was removed or moved while the run wrote it/);
  });

  test('a removed config.yaml is written again', async () => {
    const { root, ended } = during((own) => fs.rmSync(path.join(folderOf(own), 'config.yaml')));
    await ended;
    expect(fs.existsSync(path.join(folderOf(root), 'config.yaml'))).toBe(true);
  });

  test('a lock that another process has taken ends it, and that process keeps what it finds', async () => {
    let found = '';
    const other = JSON.stringify({
      pid: 1,
      host: 'elsewhere',
      birth: 'x',
      started: new Date(0).toISOString(),
    });
    const { root, ended } = during((own) => {
      fs.writeFileSync(path.join(folderOf(own), 'lock'), other);
      found = fs.readFileSync(path.join(folderOf(own), 'run.json'), 'utf8');
    });
    const { busy } = await ended;
    expect(busy.map(({ folder }) => folder)).toEqual(seeds.map((seed) => folderOf(root, seed)));
    for (const { reason } of busy)
      expect(reason).toMatch(/tiny-seed0: lost the folder: process 1 on elsewhere has taken it over/);
    expect(fs.readFileSync(path.join(folderOf(root), 'lock'), 'utf8')).toBe(other);
    expect(fs.readFileSync(path.join(folderOf(root), 'run.json'), 'utf8')).toBe(found);
  });
});

test('a clock that is set back costs no checkpoint', async () => {
  const root = temporaryFolder();
  let hours = 0;
  const environment = { ...nodeEnvironment, now: () => new Date(Date.now() - hours * 3_600_000) };
  const safety: number[] = [];
  await train({
    root,
    overrides: ['checkpoint.everySeconds=0.001', 'stages.1.epochs=4'],
    request: { environment },
    onProgress: ({ step }) => {
      hours = 2;
      safety.push(checkpointSteps(folderOf(root)).at(-1)!);
      expect(safety.at(-1)).toBe(step - 1);
    },
  });
  expect(safety.length).toBeGreaterThan(4);
});

describe('what another process holds, or has left', () => {
  /** As another machine leaves it: run.json says running there. */
  function elsewhere(root: string, seed: number, locked: boolean): void {
    const folder = folderOf(root, seed);
    const info = readRunInfo(folder);
    const owner = { pid: 7, host: 'pod-old', birth: 'x' };
    fs.writeFileSync(
      path.join(folder, 'run.json'),
      JSON.stringify({ ...info, status: 'running', process: owner }),
    );
    const lock = JSON.stringify({ ...owner, started: new Date(0).toISOString() });
    if (locked) fs.writeFileSync(path.join(folder, 'lock'), lock);
  }

  test('the lock decides: with it the run is left alone, without it every way goes on', async () => {
    const root = copyOf(stopped);
    for (const seed of seeds) elsewhere(root, seed, true);
    await expect(resume(folderOf(root))).rejects.toThrow(/being written by process 7 on pod-old/);
    await expect(train({ root })).rejects.toThrow(/being written by process 7 on pod-old/);
    const left = await train({ root, request: { existing: 'resume' } });
    expect(left.busy.map(({ folder }) => folder)).toEqual(seeds.map((seed) => folderOf(root, seed)));
    for (const seed of seeds) fs.rmSync(path.join(folderOf(root, seed), 'lock'));
    const { end, failed } = await train({ root, request: { existing: 'resume' } });
    expect({ end, failed }).toEqual({ end: 'complete', failed: [] });
    for (const seed of seeds) expectWholeWeights(folderOf(root, seed), seed);
  });

  test('one run that cannot be resumed does not stop the others', async () => {
    const root = copyOf(stopped);
    await recoverRun(folderOf(root, 1));
    const { failed } = await train({ root, request: { existing: 'resume' } });
    expect(failed).toEqual([
      {
        folder: folderOf(root, 1),
        reason: expect.stringMatching(/by recover; --existing overwrite trains it/),
      },
    ]);
    expect(readRunInfo(folderOf(root)).status).toBe('complete');
    const repaired = await train({ root, request: { existing: 'repair' } });
    expect(repaired.failed).toEqual([]);
    expect(readRunInfo(folderOf(root, 1)).status).toBe('complete');
  });
});
