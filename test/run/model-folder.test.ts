import fs from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { UserError } from '../../data/errors.js';
import { readCheckpoint } from '../../src/run/checkpoint.js';
import { loadRunConfig } from '../../src/run/experiment-module.js';
import { exportModel } from '../../src/run/export-model.js';
import { resumeRuns, startRuns } from '../../src/run/run.js';
import { checkpointPath } from '../../src/store/checkpoint-path.js';
import { configPath, readRunInfo } from '../../src/store/run-folder.js';
import { folderHash } from '../../src/train/models/folder/model-folder.js';
import type { Engine } from '../../src/train/engine/load.js';
import { useTestEngine } from '../train/support/engine.js';
import { finalWeights, quietRequest, temporaryFolder, tiny } from './support.js';

let engine: Engine;
const root = temporaryFolder();

/** Runs from which models are exported: short, of ordinary tokens. */
const words = [
  ...tiny,
  'data.format=paper',
  'model.variableEmbedding=null',
  'model.layers=1',
  'stages.0.parameterGroups=[]',
  'stages.1.parameterGroups=[]',
  'stages.0.epochs=1',
  'stages.1.epochs=1',
];
const families: Record<string, readonly string[]> = {
  gpt_neox: ['model.positions=rotary', 'model.residual=parallel', 'model.rotaryFraction=0.5'],
  gpt2: ['model.tiedEmbedding=true'],
};

/** A config in a folder of its own, with a model of the folder `from` as seen from there. */
function configFile(name: string, from: string, model = ''): string {
  const file = path.join(root, `${name}.yaml`);
  const base = path.resolve('configs/set-inclusion-smoke.yaml');
  fs.writeFileSync(file, `extends: ${base}\nname: ${name}\nmodel: { from: ${from}${model} }\n`);
  return file;
}

const dataOf = (overrides: readonly string[]): string[] =>
  overrides.filter((own) => !own.startsWith('model.') && !own.startsWith('name='));

async function train(
  file: string,
  overrides: readonly string[],
  seeds: readonly number[],
): Promise<readonly string[]> {
  const { config, resolved } = await loadRunConfig(file, overrides);
  const { end, folders } = await startRuns(
    config,
    resolved,
    seeds,
    quietRequest(path.join(root, 'runs'), engine),
  );
  expect(end).toBe('complete');
  return folders;
}

beforeAll(async () => {
  engine = await useTestEngine();
});

describe.each(Object.entries(families))('%s', (modelType, overrides) => {
  const exported = path.join(root, modelType);
  let run: string;

  beforeAll(async () => {
    [run] = (await train(
      'configs/set-inclusion-smoke.yaml',
      [...words, ...overrides, `name=${modelType.replace('_', '-')}`],
      [0],
    )) as [string];
  });

  test('a run is exported and begins another with the same values, bit for bit', async () => {
    const written = await exportModel(run, exported);
    expect(written).toMatchObject({ modelType, files: ['config.json', 'model.safetensors'] });
    const file = configFile(`from-${modelType.replace('_', '-')}`, `./${modelType}`);
    const folders = await train(file, dataOf(words), [0, 1]);
    for (const folder of folders) {
      const begun = readCheckpoint(folder, 0).parameters;
      expect(new Map(begun.map((own) => [own.name, own.values]))).toEqual(finalWeights(run));
      expect(readRunInfo(folder).modelFolder).toEqual({ path: exported, sha256: folderHash(exported) });
    }
    // And once more from what began with a folder.
    const again = path.join(root, `${modelType}-again`);
    await exportModel(checkpointPath(folders[1]!, 0), again);
    for (const name of ['model.safetensors'])
      expect(fs.readFileSync(path.join(again, name))).toEqual(fs.readFileSync(path.join(exported, name)));
    await expect(exportModel(run, exported)).rejects.toThrow(
      /is there already; give a folder that is not, or remove it$/,
    );
  });

  test('a run is not resumed with another model', async () => {
    const changed = path.join(root, `${modelType}-changed`);
    fs.cpSync(exported, changed, { recursive: true });
    const file = configFile(`changed-${modelType.replace('_', '-')}`, `./${modelType}-changed`);
    const { config, resolved } = await loadRunConfig(file, dataOf(words));
    const abort = new AbortController();
    const request = {
      ...quietRequest(path.join(root, 'runs'), engine),
      signal: abort.signal,
      onProgress: () => abort.abort(),
    };
    const { end, folders } = await startRuns(config, resolved, [0], request);
    expect(end).toBe('interrupted');
    const weights = path.join(changed, 'model.safetensors');
    const bytes = fs.readFileSync(weights);
    const last = bytes.at(-1)!;
    bytes[bytes.length - 1] = last ^ 1;
    fs.writeFileSync(weights, bytes);
    const resume = () => resumeRuns(folders[0]!, quietRequest(path.join(root, 'runs'), engine));
    await expect(resume()).rejects.toThrow(
      /is not the one that the run began with \(sha256 .*; put that back$/,
    );
    bytes[bytes.length - 1] = last;
    fs.writeFileSync(weights, bytes);
    expect((await resume()).end).toBe('complete');
  });
});

test('a table of variables lies beside a folder, drawn for a run and read from its export', async () => {
  const table = 'width: 4, normalise: rms, noise: 0.5, projection: true, standardDeviation: 0.1';
  const own = dataOf(words).filter((key) => !key.startsWith('data.format'));
  const file = configFile('variables', './gpt2', `, variableEmbedding: { ${table} }`);
  const [folder] = (await train(file, own, [3])) as [string];
  const begun = new Map(readCheckpoint(folder, 0).parameters.map(({ name, values }) => [name, values]));
  expect(begun.get('variable_embedding.weight')!.length).toBe(40 * 4);
  const exported = path.join(root, 'with-variables');
  const { files } = await exportModel(folder, exported);
  expect(files).toEqual(['config.json', 'model.safetensors', 'variables.safetensors']);
  const next = configFile('variables-again', './with-variables', `, variableEmbedding: { ${table} }`);
  const [again] = (await train(next, own, [4])) as [string];
  const values = new Map(readCheckpoint(again, 0).parameters.map((tensor) => [tensor.name, tensor.values]));
  expect(values).toEqual(finalWeights(folder));
});

test('what no family is, and a run without checkpoints, are refused with one line', async () => {
  const [run] = (await train(
    'configs/set-inclusion-smoke.yaml',
    [...words, 'name=odd', 'model.residual=parallel'],
    [0],
  )) as [string];
  const refusal = async (source: string): Promise<string> => {
    const error: unknown = await exportModel(source, path.join(root, 'refused')).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(UserError);
    return (error as UserError).message;
  };
  expect(await refusal(run)).toMatch(/^model\.positions learned with model\.residual parallel: no family/);
  expect(await refusal(path.join(root, 'nowhere'))).toMatch(/nowhere/);
  fs.rmSync(path.join(run, 'checkpoints'), { recursive: true });
  expect(await refusal(run)).toBe(`${run}: has no checkpoint to export; train the run first`);
  expect(fs.existsSync(path.join(root, 'refused'))).toBe(false);
  expect(fs.readFileSync(configPath(run), 'utf8')).toContain('kind: transformer');
});

test('a model that is written as a folder is one, whatever is wrong with it', async () => {
  const refusal = async (file: string): Promise<string> => {
    const error: unknown = await loadRunConfig(file).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UserError);
    return (error as UserError).message.replace(file, 'FILE');
  };
  expect(await refusal(configFile('listed', '[1]'))).toBe(
    'FILE:3:16 model.from: expected string, got a list of 1',
  );
  expect(await refusal(configFile('layered', 'gpt2', ', layers: 2'))).toBe(
    'FILE:3:22 model.layers: unknown key "layers", which kind folder does not have',
  );
  const { config } = await loadRunConfig(configFile('placed', './gpt2'));
  expect(config.model).toEqual({
    kind: 'folder',
    from: path.join(root, 'gpt2'),
    variableEmbedding: null,
    tagEmbedding: null,
  });
});
