import { expect, test } from 'vitest';
import { exchangeProblem, exchangeTags } from '../../data/assignment.js';
import type { ExampleSet, ExperimentData } from '../../data/experiment.js';
import { allocateFields } from '../../data/fields.js';
import { hashTables } from '../../data/hash.js';
import { buildMnistQa } from '../../data/mnist-qa/experiment.js';
import { createStream } from '../../data/random/streams.js';
import { buildSetInclusion } from '../../data/set-inclusion/experiment.js';
import { mnistConfig } from './support/mnist-qa.js';
import { answerLoss, smallConfig, wordsOf } from './support/set-inclusion.js';

const texts = [false, true].map((exchangeTags) =>
  buildSetInclusion(smallConfig({ variables: 60 }), answerLoss, 3, { exchangeTags }),
);
const images = [false, true].map((exchangeTags) =>
  buildMnistQa(mnistConfig(), answerLoss, 3, { exchangeTags }),
);
const pairs: [string, readonly ExperimentData[]][] = [
  ['set inclusion', texts],
  ['MNIST question answering', images],
];

/** Every byte of a set's rows, in their order. */
function bytesOf(set: ExampleSet, rows = Array.from({ length: set.size }, (_, row) => row)): string {
  const { fields } = set;
  const buffers = allocateFields(fields, rows.length);
  set.fill(rows, 0, buffers, () => createStream(0, 'test'));
  const pick = (column: Int32Array): Int32Array => Int32Array.from(rows, (row) => column[row]!);
  return hashTables([
    { fields, buffers, group: pick(set.group), variable: pick(set.variable), id: pick(set.id) },
  ]);
}

const rowsAbout = (set: ExampleSet, variable: number): number[] =>
  Array.from(set.variable).flatMap((own, row) => (own === variable ? [row] : []));

const testSet = (data: ExperimentData, name: string): ExampleSet =>
  data.tests.find((own) => own.name === name)!.examples;

const variablesOf = (data: ExperimentData, name: string): number[] => [
  ...new Set(testSet(data, name).variable),
];

test.each(pairs)('%s: stage 1 stays byte for byte, the new variables change sets', (_, [as, exchanged]) => {
  expect(bytesOf(exchanged!.training('stage1'))).toBe(bytesOf(as!.training('stage1')));
  expect(exchanged!.hash).not.toBe(as!.hash);
  expect(exchanged!.groups).toEqual(as!.groups);
  expect(variablesOf(exchanged!, 'd1consis')).toEqual(variablesOf(as!, 'd2consis'));
  expect(variablesOf(exchanged!, 'd2consis')).toEqual(variablesOf(as!, 'd1consis'));
  for (const { name, examples } of as!.tests) {
    if (/d1consis$|d2consis$/.test(name) && !/qd/.test(name)) continue;
    expect(bytesOf(testSet(exchanged!, name)), name).toBe(bytesOf(examples));
  }
});

test.each(pairs)(
  '%s: a new variable keeps its questions, images and entity; its definition has the other tag',
  (_, [as, exchanged]) => {
    const definitions = [as!, exchanged!].map(
      (data) => new Map(data.examples().map((example) => [`${example.group} ${example.variable}`, example])),
    );
    for (const [from, to] of [
      ['d1consis', 'd2consis'],
      ['d2consis', 'd1consis'],
    ] as const) {
      for (const variable of variablesOf(as!, from)) {
        const [before, after] = [testSet(as!, from), testSet(exchanged!, to)];
        expect(bytesOf(after, rowsAbout(after, variable))).toBe(bytesOf(before, rowsAbout(before, variable)));
        const [own, other] = [
          definitions[0]!.get(`${from}/definition ${variable}`)!,
          definitions[1]!.get(`${to}/definition ${variable}`)!,
        ];
        expect(new Set([own.tag, other.tag])).toEqual(new Set([1, 2]));
        const { name, entity, labels, weights, digits } = own;
        expect(other).toMatchObject({ name, entity, labels, weights, digits });
        expect(other.text.replace(/define[12]/, '')).toBe(own.text.replace(/define[12]/, ''));
      }
    }
  },
);

test('the definition that training holds differs in its tag alone', () => {
  const words = texts.map((data) => {
    const set = data.training('stage2');
    return Array.from({ length: set.size }, (_, row) => wordsOf(data, set, row).split(' '));
  });
  const tags = words.map((rows) => new Map(rows.map(([tag, name]) => [name, tag])));
  for (const [name, tag] of tags[0]!) {
    expect(tags[1]!.get(name)).toBe(tag === 'define1' ? 'define2' : 'define1');
  }
});

test('there must be two sets to exchange', () => {
  const fractions = { ...smallConfig().fractions, d1consis: 0.2, d2consis: 0 };
  expect(exchangeProblem({ fractions })).toBe('d2consis has no variables (data.fractions)');
  expect(exchangeProblem(smallConfig())).toBeNull();
  expect(() => exchangeTags(new Map([['d1consis', [1]]]))).toThrow('must both have variables');
});
