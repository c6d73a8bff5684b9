import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createStream } from '../../data/random/streams.js';
import { analyseArm } from '../../src/analysis/analyse-arm.js';
import { groupIntoArms, openRun } from '../../src/analysis/run-data.js';
import type { ArmAnalysis } from '../../src/analysis/analyse-arm.js';
import type { Dimensions, RowOf } from '../../src/store/columns.js';
import { finalizeTable } from '../../src/store/finalize.js';
import { tokenGroups, type Pairing } from '../../src/store/tables/alignment.js';
import { tables, type TableName } from '../../src/store/tables/registry.js';
import { TableWriter } from '../../src/store/table-writer.js';
import { stageSteps, writePlantedRun } from './support/planted-runs.js';

const root = fs.mkdtempSync(path.join(os.tmpdir(), 'gradscope-panel-'));
afterAll(() => fs.rmSync(root, { recursive: true }));

const subsets = ['qd1consis', 'qd2incons', 'd1consis', 'd2consis'];
const dimensions: Dimensions = {
  stages: ['stage1', 'stage2'],
  groups: [],
  tensors: [],
  testSets: [],
  subsets,
  sketchSize: 1,
};

async function write<N extends TableName>(
  folder: string,
  name: N,
  rows: readonly RowOf<(typeof tables)[N]>[],
): Promise<void> {
  const writer = TableWriter.create({ folder, table: tables[name], dimensions });
  for (const row of rows) writer.append(row);
  writer.close();
  await finalizeTable(folder, name);
}

const effects = { tag: 1, consistency: 1, matching: 1, ownShare: 1, deviation: 0, residual: 0 };
const [variables, questionsPerSet, size] = [3, 2, 5];

/** Gradients of a panel, made up: of each subset the definitions and the questions of its variables. */
const random = createStream(1, 'gradients');
const vector = (): number[] => Array.from({ length: size }, () => random.normal());
const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, x, i) => sum + x * b[i]!, 0);
const norm = (a: readonly number[]): number => Math.sqrt(dot(a, a));
const average = (vectors: readonly (readonly number[])[]): number[] =>
  Array.from({ length: size }, (_, i) => vectors.reduce((sum, own) => sum + own[i]! / vectors.length, 0));
const mean = (values: readonly number[]): number => values.reduce((sum, own) => sum + own, 0) / values.length;

const definitions = subsets.flatMap((subset, s) =>
  Array.from({ length: variables }, (_, i) => ({ subset, variable: 10 * s + i, gradient: vector() })),
);
const sets = (['trained', 'heldout'] as const).flatMap((kind) =>
  definitions
    .filter(({ subset }) => kind === 'heldout' || subset.startsWith('q'))
    .map(({ subset, variable }) => ({
      kind,
      subset,
      variable,
      gradients: Array.from({ length: questionsPerSet }, vector),
    })),
);
const questions = sets.flatMap(({ gradients, ...own }) =>
  gradients.map((gradient) => ({ ...own, gradient })),
);

let analysis: ArmAnalysis;
beforeAll(async () => {
  const folder = await writePlantedRun(root, { name: 'four', seed: 0, effects });
  const at = { stage: 0, step: stageSteps, tensor: 'total' };
  await write(
    folder,
    'panel_gram',
    definitions.map(({ gradient, ...own }) => ({
      ...at,
      ...own,
      definition: 'definition',
      norm2: dot(gradient, gradient),
      inner: questions.map((question) => dot(gradient, question.gradient)),
    })),
  );
  await write(
    folder,
    'panel_questions',
    questions.map(({ kind, gradient, ...own }, question) => ({
      ...at,
      ...own,
      question,
      questions: kind,
      norm2: dot(gradient, gradient),
    })),
  );
  const vectors = [
    ...definitions.map((own) => ({ ...own, role: 'definition' })),
    ...sets.map(({ gradients, kind, ...own }) => ({ ...own, role: kind, gradient: average(gradients) })),
  ];
  await write(
    folder,
    'entity_gram',
    vectors.map(({ gradient, ...own }, place) => ({
      ...at,
      ...own,
      vector: place,
      inner: vectors.map((other) => dot(gradient, other.gradient)),
    })),
  );
  const parts = (['matched', 'tag_swap', 'mismatched', 'tag_swap_mismatched'] as const).flatMap((pairing) =>
    ['d1consis', 'd2consis'].flatMap((subset, s) =>
      Array.from({ length: 4 }, (_, i) => partsOf(pairing, subset, 10 * s + i)).flat(),
    ),
  );
  await write(folder, 'token_alignment', parts);
  const arms = groupIntoArms([await openRun(folder)]);
  analysis = await analyseArm(arms[0]!);
});

const estimateOf = (id: string) => {
  const quantity = analysis.sections.flatMap((own) => own.quantities).find((own) => own.id === id)!;
  const { estimate } = quantity;
  const none = quantity.null?.kind === 'measured' ? quantity.null.estimate : null;
  return {
    value: estimate.kind === 'value' ? estimate.estimate : NaN,
    none: none?.kind === 'value' ? none.estimate : NaN,
  };
};

describe('four sets', () => {
  const pairsOf = (subset: string, kind: string, isMatched: boolean) =>
    definitions.flatMap((definition) =>
      questions
        .filter(
          (own) =>
            definition.subset === subset &&
            own.subset === subset &&
            own.kind === kind &&
            (own.variable === definition.variable) === isMatched,
        )
        .map((question) => [definition.gradient, question.gradient] as const),
    );
  const cosine = ([a, b]: readonly [number[], number[]]): number => dot(a, b) / norm(a) / norm(b);
  const distance = ([a, b]: readonly [number[], number[]]): number => norm(a.map((x, i) => x - b[i]!));

  test.each([
    ['new', 'd1consis', 'heldout'],
    ['new', 'd2consis', 'heldout'],
    ['trained', 'qd1consis', 'trained'],
    ['heldOut', 'qd2incons', 'heldout'],
  ])('%s, %s: means over pairs of gradients', (id, subset, kind) => {
    for (const [what, of] of [
      ['cosine', cosine],
      ['distance', distance],
    ] as const) {
      const { value, none } = estimateOf(`fourSets.${id}.${subset}.${what}`);
      expect(value).toBeCloseTo(mean(pairsOf(subset, kind, true).map(of)), 10);
      expect(none).toBeCloseTo(mean(pairsOf(subset, kind, false).map(of)), 10);
    }
    const own = definitions.filter((definition) => definition.subset === subset);
    expect(estimateOf(`fourSets.${id}.${subset}.normDefinitions`).value).toBeCloseTo(
      mean(own.map(({ gradient }) => norm(gradient))),
      10,
    );
  });

  test('the difference of the cosines, and the variance of all rows of the four sets', () => {
    const of = (subset: string): number => mean(pairsOf(subset, 'heldout', true).map(cosine));
    expect(estimateOf('fourSets.new.cosineGap').value).toBeCloseTo(of('d1consis') - of('d2consis'), 10);
    for (const [id, pair, kind] of [
      ['new', ['d1consis', 'd2consis'], 'heldout'],
      ['trained', ['qd1consis', 'qd2incons'], 'trained'],
    ] as const) {
      const rows = [...definitions, ...questions.filter((own) => own.kind === kind)]
        .filter(({ subset }) => pair.some((own) => own === subset))
        .map(({ gradient }) => gradient);
      const centre = average(rows);
      const spread = rows.map((row) => row.map((x, i) => x - centre[i]!)).map((row) => dot(row, row));
      expect(estimateOf(`fourSets.${id}.variance`).value).toBeCloseTo(mean(spread), 10);
    }
  });

  test('has the names of the published code', () => {
    const section = analysis.sections.find(({ id }) => id === 'fourSets')!;
    const labels = section.quantities.map(({ label }) => label).join('\n');
    for (const name of ['sim_d1consis_cos', 'dist_d2consis', 'l2_d_norm_qd1consis', 'l2_q_norm_qd2incons'])
      expect(labels).toContain(`(eval/grad_mean_${name})`);
    expect(labels).toContain('(eval/grad_variance)');
    expect(section.notes.join(' ')).toContain('Linf');
  });
});

/** What a part of a definition's gradient is to the questions of a variable, made up. */
function partOf(pairing: Pairing, variable: number, group: string): number {
  const place = tokenGroups.findIndex((own) => own === group);
  const isReliable = pairing.startsWith('tag_swap') !== variable < 10;
  const isMatched = !pairing.endsWith('mismatched');
  return 0.01 * place + (isReliable && isMatched ? 0.1 * (place + 1) + 0.001 * variable : 0);
}

function partsOf(pairing: Pairing, subset: string, variable: number) {
  return (['tag', 'variable', 'padding'] as const).flatMap((group) =>
    (['total', 'without_embeddings'] as const).flatMap((tensor) =>
      [0, stageSteps].map((step) => ({
        stage: 0,
        step,
        subset,
        variable,
        questions: 'heldout',
        pairing,
        token_group: group,
        tensor,
        inner: 1,
        norm_part: 1,
        cosine_part: (step === 0 ? 0 : 1) * partOf(pairing, variable, group),
        cosine: null,
      })),
    ),
  );
}

test('parts of the tag-swap gap by token group, with the parts of other variables as their null', () => {
  const all = [0, 1, 2, 3, 10, 11, 12, 13];
  for (const [group, place] of [
    ['tag', 0],
    ['variable', 1],
    ['padding', 5],
  ] as const) {
    const { value, none } = estimateOf(`alignmentByTokens.${group}.all`);
    expect(value).toBeCloseTo(0.1 * (place + 1) + 0.001 * mean(all), 10);
    expect(none).toBeCloseTo(0, 10);
  }
  // These parts are no parts of the cosines of the table alignment, and the check says so.
  expect(Math.abs(estimateOf('alignmentByTokens.sum').value)).toBeGreaterThan(0.1);
  expect(analysis.checks.find(({ id }) => id === 'tokenGroups')?.passed).toBe(false);
});
