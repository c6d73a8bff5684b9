import { describe, expect, it, test } from 'vitest';
import type { ExampleSet, ExperimentData } from '../../../data/experiment.js';
import { buildFactRows } from '../../../data/facts/build.js';
import { textEncoder } from '../../../data/facts/encoder.js';
import type { FactEntity } from '../../../data/facts/fact-set.js';
import { buildFactData } from '../../../data/facts/text-data.js';
import { allocateFields, float32Field, int32Field } from '../../../data/fields.js';
import type { LossConfig } from '../../../data/loss.js';
import { longAnswers } from '../../../data/text/long-answers.js';
import { bytePairTokenizer } from '../../../data/text/tokenizer/byte-pairs.js';
import { createTokenizer } from '../../../data/text/tokenizer/tokenizer.js';
import { factConfig, inventedEntities, rowOf } from '../support/facts.js';

const fractions = {
  qd1consis: 0.2,
  qd2incons: 0.2,
  q: 0.1,
  q_no_replacement_baseline: 0.1,
  d1consis: 0.1,
  d2consis: 0.1,
  d3consis: 0.1,
  no_qd_baseline: 0.1,
};
const answer: LossConfig = { target: 'answer', normalisation: 'token', includePadding: false };
const text: LossConfig = { target: 'text', normalisation: 'example', includePadding: false };
const entities = inventedEntities(20);
const configOf = (changes: object) =>
  factConfig({ entities: 20, fractions, tokenizer: 'bpe', vocabularySize: 400, ...changes });
const build = (
  changes: object,
  loss = answer,
  seed = 0,
  of: readonly FactEntity[] = entities,
): ExperimentData => buildFactData(of, configOf(changes), loss, seed);

function rowFields(set: ExampleSet, row: number) {
  const buffers = allocateFields(set.fields, 1);
  set.fill([row], 0, buffers, () => {
    throw new Error('texts have no noise');
  });
  return {
    tokens: [...int32Field(buffers, 'tokens')],
    decoder: 'decoderTokens' in buffers ? [...int32Field(buffers, 'decoderTokens')] : [],
    labels: [...int32Field(buffers, 'labels')],
    weights: [...float32Field(buffers, 'weights')],
  };
}

const testOf = (data: ExperimentData, name: string) => data.tests.find((own) => own.name === name)!;

describe('an encoder and a decoder', () => {
  const data = build({ format: 'seq2seq' }, text);
  const { shape } = data;
  if (shape.modality !== 'text') throw new Error('no text');
  const read = (tokens: readonly number[]) =>
    data.decode!(tokens.filter((token) => token !== shape.padToken));
  const end = '<|endoftext|>';

  it('read the question, or the first two elements of a definition, and write the rest', () => {
    const rows = buildFactRows(entities, configOf({}), 0);
    for (const name of ['train_defs_d1consis', 'qd2incons', 'ent_assoc_who_q', 'facts']) {
      if (name === 'facts') continue;
      const { question, answers } = rowOf(rows, name);
      const { tokens, decoder, labels, weights } = rowFields(testOf(data, name).examples, 0);
      expect(read(tokens)).toBe(`${question}${end}`);
      expect(read(labels)).toBe(` ${answers[0]}\n${end}`);
      expect(decoder).toEqual([shape.padToken, ...labels.slice(0, -1)]);
      expect(weights).toEqual(labels.map((label) => (label === shape.padToken ? 0 : 1)));
    }
  });

  it('describe their tokens one by one, those of the encoder first', () => {
    const { examples } = testOf(data, 'qd1consis');
    const { tokens, decoder } = rowFields(examples, 0);
    const pieces = examples.pieces!(0);
    const all = [...tokens, ...decoder];
    const read = pieces.filter(({ position }) => position !== null);
    expect(read.map(({ position }) => all[position!])).toEqual(read.map(({ token }) => token));
    const asked = pieces.filter(({ isAsked }) => isAsked).map(({ token }) => token);
    expect(asked).toEqual(rowFields(examples, 0).labels.slice(0, asked.length));
  });

  it('have as many queries as tokens of the answer', () => {
    expect(shape.queries).toBe(shape.blockSize);
    expect(shape).toMatchObject({ tags: 0, variables: 0, padToken: 1 });
    const { fields } = data.training('stage1');
    expect(fields['tokens']!.shape).toEqual([shape.inputLength]);
    expect(fields['labels']!.shape).toEqual([shape.blockSize]);
  });

  it('weigh rows alike, or padding like any other token where that is asked for', () => {
    const weightsOf = (loss: LossConfig) =>
      rowFields(build({ format: 'seq2seq' }, loss).training('stage1'), 3).weights;
    const own = weightsOf(text);
    const count = own.filter((weight) => weight > 0).length;
    expect(own[0]).toBeCloseTo(1 / count, 7);
    expect(weightsOf(answer).slice(0, count)).toEqual(Array.from({ length: count }, () => 1));
    const faithful = weightsOf({ ...text, includePadding: true });
    expect(faithful).toEqual(faithful.map(() => Math.fround(1 / shape.blockSize)));
  });

  it('have answers to compare with', () => {
    const { examples, contrasts } = testOf(data, 'qd1consis');
    const [own, other] = [rowFields(examples, 1), rowFields(contrasts!, 1)];
    expect(other.tokens).toEqual(own.tokens);
    expect(other.labels).not.toEqual(own.labels);
  });

  it('need something to write', () => {
    expect(() => configOf({ format: 'seq2seq', tokenizer: 'words' })).toThrow(/tables of variables and tags/);
    expect(() =>
      configOf({
        format: 'seq2seq',
        definitions: 'isIsnt',
        fractions: { ...fractions, d3consis: 0, q: 0.2 },
      }),
    ).toThrow(/nothing to write/);
  });
});

test.each([
  ['causal, text', {}, text],
  ['causal, answers', { definitionOrder: 'tev' }, answer],
  ['in context', { definitions: 'inContext' }, text],
  ['seq2seq', { format: 'seq2seq', definitionOrder: 'evt' }, text],
  ['with facts', { pretraining: { heldOut: 0.2, seed: 0 } }, answer],
])('seeds have texts of equal length: %s', (_, changes, loss) => {
  const uneven = entities.map((own, i) => ({
    ...own,
    name: i === 7 ? `${own.name} of the longest name Qz` : own.name,
  }));
  const shapes = Array.from({ length: 4 }, (_own, seed) => build(changes, loss, seed, uneven).shape);
  for (const shape of shapes) expect(shape).toEqual(shapes[0]);
});

test('a text that is longer than the block is refused with the length that it takes', () => {
  const { shape } = build({}, text);
  if (shape.modality !== 'text') throw new Error('no text');
  expect(() => build({ blockSize: 20 }, text)).toThrow(
    new RegExp(
      `^data.blockSize: 20 is too small: .* of other seeds can be longer; raise it to ${shape.blockSize - 1}$`,
    ),
  );
});

test('a name that tokenizes to nothing is refused with its text', () => {
  const json = bytePairTokenizer({ texts: [], size: 258 });
  // A normalizer that removes the name.
  const normalizer = { type: 'Replace', pattern: { String: 'Nobody' }, content: '' };
  const encoder = textEncoder(createTokenizer({ ...json, normalizer }), 'causal');
  const parts = [
    { part: 'other', text: 'Q: Who is' },
    { part: 'entity', text: ' Nobody' },
    { part: 'other', text: '?' },
  ] as const;
  expect(() => encoder.encode({ question: '', parts })).toThrow(
    /Nobody.*no token is its own; give it another name$/,
  );
});

describe('several right answers', () => {
  const several = entities.map((own) => ({
    ...own,
    facts: own.facts.map((fact, i) =>
      i === 0 ? { ...fact, answers: [...fact.answers, `second answer of ${own.name}`] } : fact,
    ),
  }));
  const data = build({}, text, 0, several);

  it('are further rows of the same questions', () => {
    const own = testOf(data, 'd1consis');
    const { examples, of } = own.alternatives!;
    expect(examples.size).toBe(of.length);
    expect(of.length).toBe(own.examples.size / 6);
    const place = of[1]!;
    const [first, second] = [rowFields(own.examples, place), rowFields(examples, 1)];
    const asked = (row: typeof first) => data.decode!(row.labels.filter((_, i) => row.weights[i]! > 0));
    expect([asked(first).trim(), asked(second).trim()]).toEqual(own.rightAnswers![place]!);
    expect(own.rightAnswers![place]).toHaveLength(2);
  });

  it('change nothing where there is one', () => {
    expect(build({}, text).tests.every(({ alternatives }) => alternatives === undefined)).toBe(true);
  });
});

test('long answers are counted', () => {
  const { shape, tests } = build({}, answer);
  const { examples } = tests.find(({ name }) => name === 'd1consis')!;
  const queries = shape.modality === 'text' ? shape.queries : 0;
  expect([longAnswers(examples, 0), longAnswers(examples, queries)]).toEqual([examples.size, 0]);
});
