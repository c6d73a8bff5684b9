import fs from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { peopleQuestions } from '../../data/people/questions.js';
import { questionOfPredicate } from '../../data/works/questions.js';
import { bytePairTokenizer } from '../../data/text/tokenizer/byte-pairs.js';
import { writeRandomModel } from '../../scripts/random-model.js';
import { loadKnownConfig } from '../../src/run/experiment-module.js';
import { checkedCost } from '../../src/run/plan.js';
import { startRuns } from '../../src/run/run.js';
import { isSweepFile, loadSweep } from '../../src/run/sweep-config.js';
import { hashConfig } from '../../src/store/config-hash.js';
import { readRunInfo } from '../../src/store/run-folder.js';
import { tables } from '../../src/store/tables/registry.js';
import { TableReader } from '../../src/store/table-reader.js';
import { readTyped } from '../../src/store/typed-table.js';
import type { Engine } from '../../src/train/engine/load.js';
import type { RunConfig } from '../../src/run/config.js';
import { useTestEngine } from '../train/support/engine.js';
import { isRecord, readYaml } from '../../src/config/yaml-source.js';
import { quietRequest, temporaryFolder } from './support.js';

const root = temporaryFolder();
const folders = { gpt_neox: path.join(root, 'neox'), t5: path.join(root, 't5') } as const;
const files = { cvdb: path.join(root, 'people.csv'), trex: path.join(root, 'works.json') } as const;
/** Tokens of the tiny models: the marks, the bytes, and some merges. */
const vocabulary = 512;

let engine: Engine;
beforeAll(async () => {
  engine = await useTestEngine();
  writePeople();
  writeWorks();
  const texts = [...Object.values(peopleQuestions), ...questionOfPredicate.values()].map(
    ({ template }) => `Q: ${template.source.replace('[X]', '<|abcde|>')}\nA: Person 1 North Land\n`,
  );
  const tokenizer = JSON.stringify(bytePairTokenizer({ texts, size: vocabulary }));
  for (const [type, folder] of Object.entries(folders) as ['gpt_neox' | 't5', string][]) {
    writeRandomModel(folder, { type, vocabulary, width: 16, layers: 1, heads: 2, seed: 0 });
    fs.writeFileSync(path.join(folder, 'tokenizer.json'), tokenizer);
  }
});

/** Forty people and more, as the cross-verified database has them; some are citizens of two countries. */
function writePeople(): void {
  const columns =
    'name,birth,death,gender,level3_main_occ,string_citizenship_raw_d,un_region,wiki_readers_2015_2018';
  const rows = Array.from({ length: 48 }, (_, i) => {
    const citizen = i % 5 === 0 ? "'North_Land'_'South_Land'" : `'Land_${i % 3}'`;
    return `Person_${'abcdefgh'[i % 8]}${i},${1800 + i}.0,${1900 + i}.0,${i % 2 === 0 ? 'Male' : 'Female'},work${i % 4},${citizen},Region${i % 2},${i}`;
  });
  fs.writeFileSync(files.cvdb, [columns, ...rows].join('\n'));
}

/** Works with four questions each, as triples. */
function writeWorks(): void {
  const triples = Array.from({ length: 48 }, (_, i) =>
    (
      [
        ['P50', `Ann${i % 5} Writer`],
        ['P577', `in ${1950 + i}`],
        ['P136', `genre ${i % 3}`],
        ['P840', `place ${i % 4}`],
        ['P407', `language ${i % 2}`],
        ['P364', `tongue ${i % 2}`],
      ] as const
    ).map(([predicate, obj]) => ({ subj: `Work ${i}`, predicate, obj })),
  ).flat();
  fs.writeFileSync(files.trex, JSON.stringify(triples));
}

/** What makes a config of the paper tiny; the same for all its rows. */
function tiny({ name, model, experiment, pretrain, data }: RunConfig): string[] {
  const source = experiment === 'works' ? 'trex' : 'cvdb';
  const isPaper = model.kind === 'folder' && pretrain === null;
  const asksWho = /^paper(?:-t5)?$|^bpe$/.test(name);
  const isPairs = isRecord(data) && data['format'] === 'seq2seq';
  const folder = folders[isPairs ? 't5' : 'gpt_neox'];
  const own = model.kind === 'folder' ? [`model.from=${folder}`] : [];
  return [
    ...own,
    ...(isPaper ? [`data.tokenizer=${folder}`, `data.${source}=${files[source]}`] : []),
    ...(model.kind === 'folder'
      ? []
      : ['model.layers=1', 'model.width=16', 'model.heads=2', 'model.feedForward=16']),
    ...(model.kind === 'transformer' && model.variableEmbedding !== null
      ? ['model.variableEmbedding.width=16']
      : []),
    ...(model.kind === 'folder' && pretrain !== null ? [`data.vocabularySize=${vocabulary}`] : []),
    ...(pretrain === null
      ? []
      : [
          'pretrain.epochs=0.1',
          'pretrain.batchSize=16',
          'pretrain.schedule.warmupSteps=1',
          'data.pretraining.heldOut=0.02',
        ]),
    'data.entities=24',
    ...(asksWho
      ? ['data.attribution=[who]', 'evaluation.generation={ maxNewTokens: 2, maxExamples: 1 }']
      : ['data.attribution=[]', 'evaluation.generation=null']),
    'evaluation.everyEpochs=1000',
    'evaluation.maxExamples=2',
    'evaluation.batchSize=8',
    'tagExchange=false',
  ];
}

/** Parts of configs, which others extend. */
const parts = new Set(
  ['paper', 'small'].flatMap((folder) =>
    fs
      .readdirSync(`configs/${folder}`)
      .map((name) => `configs/${folder}/${name}`)
      .filter((file) =>
        /^# (?:The part of a config|What the experiments on language models)/.test(
          fs.readFileSync(file, 'utf8'),
        ),
      ),
  ),
);
const presets = ['paper', 'small'].flatMap((folder) =>
  fs
    .readdirSync(`configs/${folder}`)
    .map((name) => `configs/${folder}/${name}`)
    .filter((file) => !parts.has(file)),
);

/** Configs that were trained already: many differ in sizes alone, which are the same here. */
const trained = new Set<string>();

/** A few updates of each stage of a config, and evaluations before and behind: losses and gradients of its steps. */
async function train(config: RunConfig, resolved: string): Promise<number[]> {
  const content = hashConfig({ ...config, name: '', description: '' });
  if (trained.has(content)) return [];
  trained.add(content);
  const { end, folders: runs } = await startRuns(
    config,
    resolved,
    [0],
    quietRequest(path.join(root, 'runs'), engine),
  );
  expect(end).toBe('complete');
  const [run] = runs as [string];
  const steps = await TableReader.open(run, 'steps');
  const { columns } = await readTyped(steps, tables.steps, ['loss', 'grad_norm']);
  await steps.close();
  expect(columns.loss).toHaveLength(readRunInfo(run).stepsTotal);
  return [...columns.loss, ...columns.grad_norm];
}

const short = (config: RunConfig): string[] =>
  config.stages.flatMap((_, i) => [
    `stages.${i}.epochs=1`,
    `stages.${i}.stop={ updates: 2 }`,
    `stages.${i}.batchSize=8`,
    `stages.${i}.microBatch=${config.log.tier === 'norms' ? 4 : 'null'}`,
  ]);

describe('every row of the paper, and its small counterpart, trains and is evaluated on a tiny model', () => {
  test.each(presets)('%s', async (file) => {
    if (!isSweepFile(file)) {
      const { config } = loadKnownConfig(file);
      const own = loadKnownConfig(file, [...tiny(config), ...short(config)]);
      const values = await train(own.config, own.resolved);
      expect(values.filter((value) => !(Number.isFinite(value) && value > 0))).toEqual([]);
      return;
    }
    const base = path.join(path.dirname(file), String(readYaml(file).value['base']));
    const { config } = loadKnownConfig(base);
    const { arms } = loadSweep(file, [...tiny(config), ...short(config)]);
    // The other end of an axis is what the base says, which has a file of its own.
    const { config: own, resolved } = file.endsWith('alpha.yaml') ? arms[0]! : arms.at(-1)!;
    const values = await train(own, resolved);
    expect(values.filter((value) => !(Number.isFinite(value) && value > 0))).toEqual([]);
  });
});

test('folders and files that a file names are seen from it, those of the command line from where it is typed', () => {
  const { arms } = loadSweep('configs/paper/model-size.yaml');
  expect(arms[0]!.config.model).toMatchObject({ from: path.resolve('models/pythia-70m-deduped') });
  expect(arms[0]!.config.data).toMatchObject({
    tokenizer: path.resolve('models/pythia-70m-deduped'),
    cvdb: path.resolve('sources/cross-verified-database.csv'),
  });
  const { config } = loadKnownConfig('configs/paper/works.yaml', ['data.trex=x', 'data.tokenizer=bpe']);
  expect(config.data).toMatchObject({ trex: path.resolve('x'), tokenizer: 'bpe' });
});

test('what is missing is said in one line', () => {
  const cost = (overrides: readonly string[]) => () =>
    checkedCost(loadKnownConfig('configs/paper/people.yaml', overrides).config);
  const own = [
    `data.cvdb=${files.cvdb}`,
    `data.tokenizer=${folders.gpt_neox}`,
    `model.from=${folders.gpt_neox}`,
  ];
  expect(cost([])).toThrow(
    /^\S+sources\/cross-verified-database\.csv: cannot be read \(ENOENT.*\); check the path$/,
  );
  expect(cost(own)).toThrow(/^data\.entities: \S+ has 24 men, but 2000 are asked for; lower data\.entities/);
  const few = [...own, 'data.entities=24'];
  expect(cost([...few, `model.from=${root}/none`])).toThrow(
    /none: no such folder; give the folder of a model$/,
  );
  expect(cost([...few, `data.tokenizer=${root}/none`])).toThrow(
    /none\/tokenizer\.json: is missing; give a Hugging Face folder/,
  );
  expect(cost([...few, `model.from=${folders.t5}`])).toThrow(/a t5 reads a source text and writes another/);
  expect(cost([...few, 'data.format=seq2seq'])).toThrow(/continues a text, and the data have a source text/);
});
