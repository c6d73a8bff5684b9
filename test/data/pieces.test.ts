import { describe, expect, test } from 'vitest';
import type { ExampleSet, ExperimentData, FieldBuffers } from '../../data/experiment.js';
import { buildFactData } from '../../data/facts/text-data.js';
import { allocateFields } from '../../data/fields.js';
import type { LossConfig } from '../../data/loss.js';
import type { ExamplePiece } from '../../data/pieces.js';
import { createStream } from '../../data/random/streams.js';
import { buildSetInclusion } from '../../data/set-inclusion/experiment.js';
import { factConfig, inventedEntities } from './support/facts.js';
import { buildMnist } from './support/mnist-qa.js';
import { answerLoss, paperConfig, smallConfig, textLoss } from './support/set-inclusion.js';

const facts = (loss: LossConfig, changes: object = {}): ExperimentData =>
  buildFactData(
    inventedEntities(60),
    factConfig({ entities: 60, tokenizer: 'words', attribution: ['who'], ...changes }),
    loss,
    0,
  );

/** Data of texts, and for each whether whole texts are trained on. */
const texts: readonly (readonly [string, ExperimentData, LossConfig])[] = [
  ['set inclusion, compact', buildSetInclusion(smallConfig({ variables: 40 }), answerLoss, 0), answerLoss],
  ['set inclusion, whole texts', buildSetInclusion(smallConfig({ variables: 40 }), textLoss, 0), textLoss],
  [
    'set inclusion, paper, entity first',
    buildSetInclusion(paperConfig({ definitionOrder: 'evt' }), answerLoss, 0),
    answerLoss,
  ],
  ['facts in words', facts(answerLoss), answerLoss],
  ['facts, whole texts', facts(textLoss), textLoss],
  ['facts, definitions before questions', facts(answerLoss, { definitions: 'inContext' }), answerLoss],
];

const rowOf = (set: ExampleSet, row: number): FieldBuffers => {
  const buffers = allocateFields(set.fields, 1);
  set.fill([row], 0, buffers, () => createStream(0, 'noise'));
  return buffers;
};

/** What the pieces of a row of text must be, by the numbers that the model gets. */
function checkRow(data: ExperimentData, buffers: FieldBuffers, pieces: readonly ExamplePiece[]): void {
  if (data.shape.modality !== 'text') throw new Error('no text');
  const { padToken } = data.shape;
  const tokens = Array.from(buffers['tokens']!);
  const read = pieces.filter(({ position }) => position !== null);
  expect(read.map(({ position }) => position)).toEqual(read.map((_, place) => place));
  expect(tokens).toEqual([
    ...read.map(({ token }) => token),
    ...tokens.slice(read.length).map(() => padToken),
  ]);
  const asked = Array.from(buffers['weights']!).flatMap((weight, query) => (weight > 0 ? [query] : []));
  const labels = asked.map((query) => buffers['labels']![query]!);
  const targets = pieces.flatMap(({ isAsked, token }) => (isAsked ? [token] : []));
  // A whole text has one more target, the padding that ends it.
  expect(labels.slice(0, targets.length)).toEqual(targets);
  expect(labels.slice(targets.length).filter((label) => label !== padToken)).toEqual([]);
  expect(pieces.map(({ token, text }) => [token, text])).toEqual(
    pieces.map(({ token }) => [token, data.decode!([token!])]),
  );
}

const countOf = (pieces: readonly ExamplePiece[], kind: string): number =>
  pieces.filter((own) => own.kind === kind).length;

describe.each(texts)('%s', (_, data) => {
  test('pieces are the tokens that the model reads and the targets of the loss', () => {
    for (const { examples, asTraining } of data.tests) {
      for (const set of [examples, asTraining]) {
        for (const row of [0, set.size - 1]) checkRow(data, rowOf(set, row), set.pieces!(row));
        expect(() => set.pieces!(set.size)).toThrow(RangeError);
      }
    }
    const training = data.training('stage1');
    checkRow(data, rowOf(training, 0), training.pieces!(0));
  });

  test('a definition has a tag, a variable and an entity, a question an answer', () => {
    for (const { name, asTraining } of data.tests.filter((own) => own.name.startsWith('train_defs_'))) {
      const pieces = asTraining.pieces!(0);
      expect(
        ['tag', 'variable', 'entity', 'answer'].map((kind) => countOf(pieces, kind)),
        name,
      ).toEqual([1, 1, 1, 0]);
    }
    for (const { asTraining } of data.tests.filter(({ name, subset }) => name === subset))
      expect(countOf(asTraining.pieces!(0), 'answer')).toBeGreaterThan(0);
  });

  test('counterfactual definitions differ in the piece that they change', () => {
    for (const { asTraining } of data.tests.filter(({ name }) => name === 'train_defs_d1consis')) {
      const own = asTraining.pieces!(0);
      for (const kind of data.counterfactuals!.kinds) {
        const variable = asTraining.variable[0]!;
        const changed = data.counterfactuals!.pieces!(kind, variable);
        const buffers = allocateFields(asTraining.fields, 1);
        data.counterfactuals!.fill(kind, variable, 0, buffers);
        checkRow(data, buffers, changed);
        const differing = own.flatMap((piece, i) => (piece.text === changed[i]!.text ? [] : [piece.kind]));
        expect(differing).toEqual([kind === 'entity_swap' ? 'entity' : 'tag']);
      }
    }
  });
});

describe('grids of digits', () => {
  const data = buildMnist();
  const setOf = (name: string): ExampleSet => data.tests.find((own) => own.name === name)!.asTraining;

  test('have no tokens: a tag or a cell, the digits, and the answers', () => {
    const definition = setOf('train_defs_qd1consis');
    const variable = definition.variable[0]!;
    const digits = Array.from(data.variables.digits.subarray(4 * variable, 4 * variable + 4), String);
    const pieces = definition.pieces!(0);
    expect(pieces.map(({ kind }) => kind)).toEqual([
      'tag',
      ...digits.map(() => 'variable'),
      ...digits.map(() => 'entity'),
    ]);
    expect(pieces.slice(0, 5).map(({ text }) => text)).toEqual(['define1', ...digits]);
    expect(pieces.slice(5).map(({ text }) => Number(text))).toEqual(
      Array.from(rowOf(definition, 0)['labels']!),
    );
    expect(pieces.every(({ token, position }) => token === null && position === null)).toBe(true);
    const swapped = data.counterfactuals!.pieces!('tag_swap', variable);
    expect(swapped).toEqual([{ ...pieces[0]!, text: 'define2' }, ...pieces.slice(1)]);
    const question = setOf('qd1consis').pieces!(0);
    expect(question[0]).toMatchObject({ kind: 'other', text: expect.stringMatching(/^cell \d$/) as string });
    expect(question.filter(({ kind, text }) => kind === 'answer' && text !== '_')).toHaveLength(1);
  });
});
