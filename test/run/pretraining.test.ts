import fs from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { analyseArm } from '../../src/analysis/analyse-arm.js';
import { findRuns } from '../../src/analysis/find-runs.js';
import { groupIntoArms } from '../../src/analysis/run-data.js';
import { loadConfig } from '../../src/config/load.js';
import { probeDefaults } from '../../src/probe/probe.js';
import { Prober } from '../../src/probe/prober.js';
import { checkpointSteps, readCheckpoint } from '../../src/run/checkpoint.js';
import { runSchema } from '../../src/run/config.js';
import { pretrainingRun } from '../../src/run/pretraining.js';
import { resumeRuns, startRuns, type RunRequest, type RunsEnd } from '../../src/run/run.js';
import { readRunInfo } from '../../src/store/run-folder.js';
import type { Engine } from '../../src/train/engine/load.js';
import { polars } from '../store/polars.js';
import { useTestEngine } from '../train/support/engine.js';
import { finalWeights, quietRequest, temporaryFolder } from './support.js';

/** The preset of famous people shrunk to a few dozen updates. */
const tinyPeople = [
  'name=tiny',
  'data.entities=40',
  'data.attribution=[who]',
  'model.layers=1',
  'model.width=16',
  'model.heads=2',
  'model.feedForward=32',
  'model.variableEmbedding.width=16',
  'pretrain.epochs=1',
  'pretrain.batchSize=128',
  'pretrain.schedule.warmupSteps=5',
  'stages.0.epochs=2',
  'stages.0.batchSize=64',
  'stages.1.epochs=3',
  'evaluation.everyEpochs=1000',
  'evaluation.maxExamples=20',
  'tagExchange=false',
];

let engine: Engine;
let root: string;
let ended: RunsEnd;
let messages: string[];

function train(
  seeds: readonly number[],
  options: { root: string; overrides?: readonly string[]; request?: Partial<RunRequest> },
): Promise<RunsEnd> {
  const { config, resolved } = loadConfig('configs/people.yaml', runSchema, [
    ...tinyPeople,
    ...(options.overrides ?? []),
  ]);
  return startRuns(config, resolved, seeds, {
    ...quietRequest(options.root, engine),
    onMessage: (message) => messages.push(message),
    ...options.request,
  });
}

const pretrainedFolders = (of: string): string[] =>
  fs.readdirSync(path.join(of, 'people')).filter((name) => name.startsWith('pretrained-'));

const metricsOf = (folder: string) =>
  polars.readIPC(fs.readFileSync(path.join(folder, 'metrics.arrow'))).toRecords();

beforeAll(async () => {
  engine = await useTestEngine();
  root = temporaryFolder();
  messages = [];
  ended = await train([0, 1], { root, overrides: ['evaluation.generation={ maxNewTokens: 5 }'] });
});

describe('a pretrained model', () => {
  test('is a run on facts beside the runs that start from it, one for all seeds', () => {
    const [name, ...others] = pretrainedFolders(root);
    expect(others).toEqual([]);
    const info = readRunInfo(path.join(root, 'people', name!));
    expect(info).toMatchObject({ status: 'complete', seed: 0, groups: ['facts/qa'] });
    expect(info.stages.map((stage) => [stage.name, stage.trainOn])).toEqual([['pretrain', 'facts']]);
    expect(messages.filter((own) => own.startsWith('pretraining'))).toEqual([
      `pretraining the model, once for all runs that start from it: ${path.join(root, 'people', name!)}`,
    ]);
    expect(info.parameters.map(({ tensor }) => tensor)).not.toContain('variable_embedding.weight');
  });

  test('is what every seed starts with, but for its own tables of variables and tags', () => {
    const pretrained = finalWeights(path.join(root, 'people', pretrainedFolders(root)[0]!));
    const starts = ended.folders.map((folder) => {
      expect(readRunInfo(folder).pretrained).toMatchObject({ folder: pretrainedFolders(root)[0] });
      expect(checkpointSteps(folder)[0]).toBe(0);
      return new Map(readCheckpoint(folder, 0).parameters.map(({ name, values }) => [name, values]));
    });
    for (const own of starts) {
      for (const [name, values] of pretrained) expect(own.get(name), name).toEqual(values);
      expect([...own.keys()].filter((name) => !pretrained.has(name)).toSorted()).toEqual([
        'tag_embedding.weight',
        'variable_embedding.weight',
      ]);
    }
    expect(starts[0]!.get('variable_embedding.weight')).not.toEqual(
      starts[1]!.get('variable_embedding.weight'),
    );
  });

  test('is left as it is by further runs, and by those that differ in what comes after it', async () => {
    const file = path.join(root, 'people', pretrainedFolders(root)[0]!, 'run.json');
    const before = fs.readFileSync(file, 'utf8');
    await train([2], { root, overrides: ['name=other', 'stages.0.epochs=1', 'data.alpha=0.5'] });
    expect(fs.readFileSync(file, 'utf8')).toBe(before);
    await train([2], { root, overrides: ['name=longer', 'pretrain.epochs=2', 'stages.0.epochs=1'] });
    expect(pretrainedFolders(root)).toHaveLength(2);
  });

  test('is no run to analyse', async () => {
    const found = await findRuns([path.join(root, 'people')]);
    expect(found.pretrained.length).toBeGreaterThan(0);
    expect(found.runs.every(({ info }) => !info.name.startsWith('pretrained-'))).toBe(true);
    await expect(findRuns([path.join(root, 'people', pretrainedFolders(root)[0]!)])).rejects.toThrow(
      'is a pretrained model, about no variables',
    );
  });

  test('goes on where it was interrupted, and the runs behind it come out the same', async () => {
    const other = temporaryFolder();
    const stop = new AbortController();
    const stopped = await train([0, 1], {
      root: other,
      request: { signal: stop.signal, onProgress: ({ step }) => step === 3 && stop.abort() },
    });
    expect(stopped.end).toBe('interrupted');
    expect(fs.readdirSync(path.join(other, 'people'))).toEqual(pretrainedFolders(other));
    const again = await train([0, 1], { root: other, request: { existing: 'resume' } });
    expect(again.end).toBe('complete');
    again.folders.forEach((folder, i) => {
      const expected = finalWeights(ended.folders[i]!);
      for (const [name, values] of finalWeights(folder)) expect(values, name).toEqual(expected.get(name));
    });
  });

  test('is asked for where a run that was never trained begins anew without it', async () => {
    const other = temporaryFolder();
    await train([0], { root: other });
    const folder = path.join(other, 'people', 'tiny-seed0');
    const [pretrained] = pretrainedFolders(other);
    const info = JSON.parse(fs.readFileSync(path.join(folder, 'run.json'), 'utf8')) as object;
    fs.rmSync(path.join(folder, 'checkpoints'), { recursive: true });
    fs.writeFileSync(
      path.join(folder, 'run.json'),
      JSON.stringify({ ...info, status: 'interrupted', stepsDone: 0 }),
    );
    fs.renameSync(path.join(other, 'people', pretrained!), path.join(other, 'gone'));
    await expect(resumeRuns(folder, quietRequest(other, engine))).rejects.toThrow(
      'which is not there or not complete; gradscope run with its config trains it',
    );
  });
});

describe('a run on people', () => {
  test('replays facts in every stage, and is evaluated on attribution beside the majority baseline', () => {
    const folder = ended.folders[0]!;
    const { stages } = readRunInfo(folder);
    for (const stage of stages)
      expect(stage.replay!.perEpoch).toBe(Math.max(1, Math.round(stage.replay!.first / 4)));
    const metrics = metricsOf(folder);
    const last = metrics.filter(({ step }) => Number(step) === readRunInfo(folder).stepsTotal);
    const of = (set: string) =>
      Object.fromEntries(
        last.filter((row) => row['set'] === set).map((row) => [row['metric'], row['value']]),
      );
    const asked = ['accuracy', 'exact_match', 'f1', 'loss', 'margin'];
    expect(Object.keys(of('qd1consis')).toSorted()).toEqual([...asked, 'majority'].toSorted());
    expect(Object.keys(of('ent_assoc_who_d1consis')).toSorted()).toEqual(asked);
    expect(of('qd1consis')['majority']).toBeGreaterThan(0.1);
  });

  test('writes the answers that it finds most likely after each right token', () => {
    for (const folder of ended.folders) {
      const metrics = metricsOf(folder);
      const of = (metric: string) =>
        metrics.filter((row) => row['metric'] === metric && !String(row['set']).startsWith('train_'));
      const [accuracy, written, f1] = ['accuracy', 'exact_match', 'f1'].map((metric) =>
        of(metric).map(({ value }) => Number(value)),
      );
      // With one token a word, greedy answers are right just where every token is the most likely one after right ones.
      expect(written).toEqual(accuracy);
      expect(Math.max(...written!)).toBeGreaterThan(0.1);
      expect(f1!.every((own, i) => own >= written![i]!)).toBe(true);
    }
  });
});

test('a run on people is probed and analysed as any other', async () => {
  const prober = new Prober(
    { ...probeDefaults, only: ['alignment'], variablesPerSubset: 4 },
    { engine },
    { onProgress: () => {}, onMessage: () => {} },
  );
  for (const folder of ended.folders) await prober.probe(folder);
  prober.dispose();
  const { runs } = await findRuns(ended.folders);
  const { sections } = await analyseArm(groupIntoArms(runs)[0]!);
  const of = (id: string) =>
    sections.flatMap(({ quantities }) => quantities).find((quantity) => quantity.id === id)!;
  const metrics = metricsOf(ended.folders[0]!);
  const at = (set: string, metric: string): number => {
    const own = metrics.filter((row) => row['set'] === set && row['metric'] === metric);
    return Number(own.at(-1)!['value']);
  };
  const expected = at('ent_assoc_who_d1consis', 'accuracy') - at('ent_assoc_who_d2consis', 'accuracy');
  expect(of('attribution.strongGap').seeds[0]!.value).toBeCloseTo(expected, 12);
  expect(of('internalization.majority').seeds[0]!.value).toBeGreaterThan(0.1);
  expect(Number.isFinite(of('internalization.weakLogProbability').seeds[0]!.value)).toBe(true);
  expect(Number.isFinite(of('alignment.tagSwapGap.all').seeds[0]!.value)).toBe(true);
});

describe('bad input', () => {
  test('replay of data without facts, or by another sampler', async () => {
    await expect(
      train([0], { root: temporaryFolder(), overrides: ['data.pretraining=null'] }),
    ).rejects.toThrow('the data have no rows for training on facts');
    expect(() => loadConfig('configs/people.yaml', runSchema, ['stages.0.sampler=withReplacement'])).toThrow(
      'replayed rows are drawn anew for every epoch, which only the sampler shuffle does',
    );
  });

  test('pretraining of an experiment without facts', () => {
    const { config } = loadConfig('configs/set-inclusion-smoke.yaml', runSchema, [
      'pretrain={ epochs: 1, batchSize: 8, optimizer: { kind: sgd, learningRate: 0.1 }, schedule: { kind: constant } }',
    ]);
    expect(() => pretrainingRun(config)).toThrow(
      'experiment set-inclusion has no facts to pretrain on; set it to null',
    );
  });
});
