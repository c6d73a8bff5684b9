import fs from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { subsetNames } from '../../data/subsets.js';
import { experiments } from '../../data/registry.js';
import { analyseArm, type ArmAnalysis } from '../../src/analysis/analyse-arm.js';
import { analysisDocument, outputFolder } from '../../src/analysis/document.js';
import { findRuns } from '../../src/analysis/find-runs.js';
import { groupIntoArms } from '../../src/analysis/run-data.js';
import { writeAnalysis } from '../../src/analysis/write-analysis.js';
import { armReport } from '../../src/report/text/arm-report.js';
import { loadRunConfig } from '../../src/run/experiment-module.js';
import { Prober } from '../../src/probe/prober.js';
import { probeDefaults } from '../../src/probe/probe.js';
import { startRuns } from '../../src/run/run.js';
import { readRunInfo } from '../../src/store/run-folder.js';
import { show } from '../../tui/show.js';
import { plainStyle } from '../tui/support/plain-style.js';
import { views } from '../../tui/views/registry.js';
import { polars } from '../store/polars.js';
import { useTestEngine } from '../train/support/engine.js';
import { quietRequest, temporaryFolder } from './support.js';

/**
 * A design of a person's own, from a module that imports the public door alone, through every room: it has no name of a
 * subset, a tag or a stage with the built-in experiments in common, three subsets of new variables, and three stages.
 */
type Row = Record<string, unknown>;

const stage = (name: string, trainOn: string, epochs: number, batchSize: number): string =>
  `{ name: ${name}, trainOn: ${trainOn}, epochs: ${epochs}, batchSize: ${batchSize}, sampler: shuffle,` +
  ' schedule: { kind: constant, warmupSteps: 2 }, optimizer: { kind: adamw, learningRate: 5.0e-3, beta1: 0.9,' +
  ' beta2: 0.98, epsilon: 1.0e-8, weightDecay: 0 } }';
const stages = [
  stage('facts', 'stage1_only_defns', 2, 8),
  stage('schooling', 'stage1', 3, 16),
  stage('reading', 'stage2', 3, 8),
];
const overrides = ['data.variablesPerSubset=8', 'evaluation.everyEpochs=1', `stages=[${stages.join()}]`];

const root = temporaryFolder();
let folders: readonly string[];
let analysis: ArmAnalysis;
let report: string;

const read = (folder: string, table: string): Row[] =>
  polars.readIPC(fs.readFileSync(path.join(folder, `${table}.arrow`))).toRecords();

const textsOf = (rows: readonly Row[], column: string): string[] =>
  [...new Set(rows.map((row) => String(row[column])))].toSorted();

beforeAll(async () => {
  const engine = await useTestEngine();
  const { config, resolved } = await loadRunConfig('examples/own-experiment.yaml', overrides);
  ({ folders } = await startRuns(config, resolved, [0, 1], quietRequest(root, engine)));
  const only = ['alignment', 'transfer', 'transfer-path', 'penalty'];
  const prober = new Prober(
    { ...probeDefaults, variablesPerSubset: 3, questions: 2, only },
    { engine },
    { onProgress: () => {}, onMessage: () => {} },
  );
  for (const folder of folders) await prober.probe(folder);
  prober.dispose();
  const [arm] = groupIntoArms((await findRuns([root])).runs);
  analysis = await analyseArm(arm!);
  report = armReport(analysis, { width: 100, colour: false }).join('\n');
  const document = analysisDocument(analysis, { command: [], versions: {} });
  await writeAnalysis(outputFolder(analysis, null), analysis, document);
}, 240_000);

/** Words of the built-in design, and of its stages, where a text is about this one. */
const foreign = new RegExp(
  `(?<![A-Za-z0-9])(?:${subsetNames.filter((name) => name.length > 1).join('|')})(?![A-Za-z0-9])|define[123]|` +
    `\\bstage ?[12]\\b|\\balpha\\b|\\bX[12]\\b`,
);
const foreignLines = (text: string): string[] => text.split('\n').filter((line) => foreign.test(line));

describe('run', () => {
  test('run.json holds the design of the module', () => {
    const { design } = experiments.get('greater')!;
    for (const folder of folders) {
      const info = readRunInfo(folder);
      expect(info.design).toEqual(design);
      expect(info.status).toBe('complete');
      expect(info.stages.map(({ name }) => name)).toEqual(['facts', 'schooling', 'reading']);
      expect(info.groups.map((group) => group.split('/')[0])).not.toContain('never');
    }
  });

  test('every subset is tested, every stage trains what its trainOn says', () => {
    const metrics = read(folders[0]!, 'metrics');
    const { subsets } = experiments.get('greater')!.design;
    expect(textsOf(metrics, 'subset')).toEqual(subsets.map(({ name }) => name).toSorted());
    const trained = (of: string): string[] =>
      textsOf(
        read(folders[0]!, 'gradients').filter(({ stage: own, group }) => own === of && group !== 'minibatch'),
        'group',
      );
    expect(trained('facts')).toEqual(['asked_almanac/definition', 'asked_hearsay/definition']);
    expect(trained('schooling')).toEqual([
      'asked_almanac/definition',
      'asked_almanac/qa',
      'asked_hearsay/definition',
      'asked_hearsay/qa',
      'asked_only/qa',
    ]);
    expect(trained('reading')).toEqual([
      'new_almanac/definition',
      'new_hearsay/definition',
      'new_letter/definition',
    ]);
  });

  test('the exchanged half has the definitions of the two sets with the tags of each other, and all else as it was', () => {
    const halves = folders.map((folder) => `${folder}-exchanged`);
    for (const [i, half] of halves.entries()) {
      const [own, other] = [read(folders[i]!, 'examples'), read(half, 'examples')];
      expect(readRunInfo(half).exchangeOf).toBe(path.basename(folders[i]!));
      const exchanged: Record<string, string> = { new_almanac: 'new_hearsay', new_hearsay: 'new_almanac' };
      const words: Record<string, string> = { almanac: 'hearsay', hearsay: 'almanac' };
      const expected = own.map(({ subset, text, variable }) => {
        const to = exchanged[String(subset)];
        if (to === undefined) return { subset, text, variable };
        const said = String(text).replace(/^\w+/, (word) => words[word]!);
        return { subset: to, text: said, variable };
      });
      expect(other.map(({ subset, text, variable }) => ({ subset, text, variable }))).toEqual(expected);
    }
  });
});

test('a module that exchanges no tags where it says that it can is told so', async () => {
  const own = path.resolve('examples/own-experiment.mjs');
  const module = path.join(root, 'deaf.mjs');
  const text = `import own from ${JSON.stringify(own)};
    export default { ...own, name: 'deaf', build: (config, loss, seed) => own.build(config, loss, seed) };`;
  fs.writeFileSync(module, text);
  const file = path.join(root, 'deaf.yaml');
  fs.writeFileSync(
    file,
    fs.readFileSync('examples/own-experiment.yaml', 'utf8').replace('./own-experiment.mjs', module),
  );
  const { config, resolved } = await loadRunConfig(file, overrides);
  const request = quietRequest(temporaryFolder(), await useTestEngine());
  const { failed } = await startRuns(config, resolved, [0], request);
  expect(failed.map(({ reason }) => reason)).toEqual([
    expect.stringMatching(/experiment deaf builds the same data with exchangeTags as without/),
  ]);
});

describe('probe', () => {
  const probed = ['asked_almanac', 'asked_hearsay', 'new_almanac', 'new_hearsay', 'new_letter'];

  test('panel: every subset with definitions, every pairing that the data can express', () => {
    const rows = read(folders[0]!, 'alignment');
    expect(textsOf(rows, 'subset')).toEqual(probed);
    expect(textsOf(rows, 'pairing')).toEqual(
      [
        'matched',
        'tag_swap',
        'entity_swap',
        'unseen_tag',
        'mismatched',
        'tag_swap_mismatched',
        'random',
      ].toSorted(),
    );
    // What a letter says is said with the tag that was never trained already.
    const letters = rows.filter(({ subset, tensor }) => subset === 'new_letter' && tensor === 'total');
    const of = (pairing: string) => letters.filter((row) => row['pairing'] === pairing);
    expect(of('unseen_tag').map(({ cosine }) => cosine)).toEqual(of('matched').map(({ cosine }) => cosine));
    expect(of('tag_swap').map(({ cosine }) => cosine)).not.toEqual(of('matched').map(({ cosine }) => cosine));
  });

  test('transfer and its path: new variables of all three sets, in the stage that has them', () => {
    expect(textsOf(read(folders[0]!, 'transfer'), 'subset')).toEqual(probed);
    const rows = read(folders[0]!, 'transfer_path');
    expect(textsOf(rows, 'subset')).toEqual(['new_almanac', 'new_hearsay', 'new_letter']);
    expect(textsOf(rows, 'stage')).toEqual(['reading']);
    expect(read(folders[0]!, 'penalty').length).toBeGreaterThan(0);
  });
});

describe('analyze', () => {
  const quantities = () => analysis.sections.flatMap((section) => section.quantities);
  const quantity = (id: string) => quantities().find((own) => own.id === id)!;

  test('every claim that the design has subsets for is judged', () => {
    expect(analysis.failures).toEqual([]);
    expect(analysis.claims.map(({ id }) => id)).toEqual([
      'weakInternalization',
      'rightDefinitionsHelp',
      'wrongDefinitionsHurt',
      'strongInternalization',
      'alignmentGap',
      'alignmentGapWithoutEmbeddings',
      'transferGap',
      'transferPathOwn',
      'transferPathShare',
      'minibatchMatching',
      'penaltyLaw',
    ]);
    for (const { judgement } of analysis.claims) expect(judgement.reason).not.toContain('no estimate');
  });

  test('gaps are those of the design: the strong one the mean over both halves', () => {
    for (const [i, folder] of folders.entries()) {
      const at = (of: string, set: string, step: number): number =>
        Number(
          read(of, 'metrics').find(
            (row) => row['set'] === set && row['metric'] === 'accuracy' && Number(row['step']) === step,
          )!['value'],
        );
      const info = readRunInfo(folder);
      const [asked, end] = [info.stages[2]!.firstStep, info.stepsTotal];
      const strong = [folder, `${folder}-exchanged`].map(
        (of) => at(of, 'new_almanac', end) - at(of, 'new_hearsay', end),
      );
      const valueOf = (id: string) => quantity(`internalization.${id}`).seeds[i]!.value;
      expect(valueOf('strongGap')).toBeCloseTo((strong[0]! + strong[1]!) / 2, 12);
      expect(valueOf('weakGap')).toBeCloseTo(
        at(folder, 'asked_almanac', asked) - at(folder, 'asked_hearsay', asked),
        12,
      );
      expect(valueOf('rightOverNone')).toBeCloseTo(
        at(folder, 'asked_almanac', asked) - at(folder, 'asked_only', asked),
        12,
      );
    }
  });

  test('labels name the subsets of the design, and nothing those of another', () => {
    expect(quantity('internalization.noneOverWrong').label).toContain('asked_only - asked_hearsay');
    expect(quantity('internalization.reliableOverUntrained').label).toContain('new_almanac - never');
    const words = report.replaceAll(/\s+/g, ' ');
    expect(words).toContain('strong gap: new_almanac - new_hearsay when training ends');
    expect(words).toContain('reliable (new_almanac) - unreliable tag (new_hearsay)');
    expect(words).toContain('with definitions of asked_almanac and asked_hearsay as rows');
    expect(foreignLines(report)).toEqual([]);
    const document = JSON.stringify(analysisDocument(analysis, { command: [], versions: {} }), null, 1);
    expect(foreignLines(document)).toEqual([]);
  });

  test('the tag-swap gap is that of the sets with the two tags, not of the third', () => {
    const rows = read(folders[0]!, 'alignment').filter(
      ({ tensor, step, questions }) =>
        tensor === 'total' &&
        questions === 'heldout' &&
        Number(step) === readRunInfo(folders[0]!).stages[2]!.firstStep,
    );
    const cosines = (subset: string, pairing: string): number[] =>
      rows
        .filter((row) => row['subset'] === subset && row['pairing'] === pairing)
        .map(({ cosine }) => Number(cosine));
    const mean = (values: readonly number[]) => values.reduce((sum, own) => sum + own, 0) / values.length;
    const differences = [
      ...cosines('new_almanac', 'matched').map((own, i) => own - cosines('new_almanac', 'tag_swap')[i]!),
      ...cosines('new_hearsay', 'tag_swap').map((own, i) => own - cosines('new_hearsay', 'matched')[i]!),
    ];
    expect(differences).toHaveLength(6);
    expect(quantity('alignment.tagSwapGap.all').seeds[0]!.value).toBeCloseTo(mean(differences), 9);
  });
});

describe('browser', () => {
  const shown = async (view: string): Promise<string> =>
    (await show({ folders, view, width: 160, height: 60, style: plainStyle })).join('\n');

  test.each(views.map(({ id }) => id))('view %s', async (view) => {
    const text = await shown(view);
    // Not measured of these runs: the view says so, and how it is measured.
    if (['forces', 'retraining', 'sweep'].includes(view))
      expect(text).toMatch(/No (table|sweep) .*npx gradscope/);
    else expect(text.split('\n').length).toBeGreaterThan(5);
    // The config's own words are the paper's: trainOn: stage1.
    expect(foreignLines(text).filter((line) => !/trainOn:/.test(line))).toEqual([]);
  });

  test('curves, tables and choices name the subsets of the design', async () => {
    const training = await shown('training');
    for (const { name } of experiments.get('greater')!.design.subsets) expect(training).toContain(name);
    expect(training).toContain('weak: asked_almanac - asked_hearsay');
    expect(training).toContain('strong: new_almanac - new_hearsay');
    expect(training).toContain('null: never');
    const transfer = await shown('transfer');
    expect(transfer).toMatch(/new_letter +definition/);
    expect(await shown('minibatches')).toContain('|asked_almanac/d|');
  });

  test('a tag that is neither of the two has no gap of entities', async () => {
    const lines = (await shown('alignment')).split('\n');
    const of = (subset: string) =>
      lines.filter((line) => line.includes(`${subset} `) && /heldout/.test(line));
    expect(of('new_letter')).toHaveLength(3);
    // Gap and null gap are blank, the cosine of the matched pair is there.
    for (const line of of('new_letter')) expect(line).toMatch(/heldout {20,}[+-]\d/);
    expect(of('new_hearsay')).toHaveLength(3);
    for (const line of of('new_hearsay')) expect(line).toMatch(/heldout {1,19}[+-]\d/);
  });
});
