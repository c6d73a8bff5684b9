import { describe, expect, it } from 'vitest';
import { UserError } from '../../../data/errors.js';
import { allocateFields } from '../../../data/fields.js';
import type { LossConfig } from '../../../data/loss.js';
import { questionFields, textLayout, trainingFields, type TextLayout } from '../../../data/text/layout.js';
import { writeQuestionRow, writeTrainingRow } from '../../../data/text/rows.js';

const pad = 9;
/** Tag, variable, number; ids from 20 cannot be answered. */
const definition = { tokens: [11, 25, 3], variableAt: 1 };
const question = { tokens: [25, 1, 2, 3, 13], variableAt: 0 };

function layout(loss: Partial<LossConfig>, blockSize?: number): TextLayout {
  return textLayout({
    longestText: 5,
    blockSize,
    padToken: pad,
    outputSize: 20,
    loss: { target: 'text', normalisation: 'token', includePadding: false, ...loss },
  });
}

function rows(of: TextLayout): Record<string, number[]> {
  const buffers = allocateFields(trainingFields(of), 2);
  writeTrainingRow(of, definition, 0, buffers);
  writeTrainingRow(of, question, 1, buffers);
  return Object.fromEntries(Object.entries(buffers).map(([name, values]) => [name, Array.from(values)]));
}

describe('target answer', () => {
  it('asks for the answer, which is no input', () => {
    const of = layout({ target: 'answer' });
    expect(of).toMatchObject({ blockSize: 4, queries: 1 });
    expect(rows(of)).toEqual({
      tokens: [11, 25, pad, pad, 25, 1, 2, 3],
      positions: [1, 3],
      labels: [3, 13],
      weights: [1, 1],
      variablePosition: [1, 0],
    });
  });
});

describe('answers of several tokens', () => {
  const of = textLayout({
    longestText: 6,
    longestAnswer: 3,
    blockSize: undefined,
    padToken: pad,
    outputSize: 20,
    loss: { target: 'answer', normalisation: 'example', includePadding: false },
  });
  const long = { tokens: [25, 1, 2, 3, 4, 5], answerLength: 3, variableAt: 0 };
  const short = { tokens: [25, 1, 7, 5], answerLength: 2, variableAt: 0 };

  it('have a query for every token, given those before it', () => {
    expect(of).toMatchObject({ blockSize: 5, queries: 3, answerQueries: 3 });
    const buffers = allocateFields(trainingFields(of), 2);
    writeTrainingRow(of, long, 0, buffers);
    writeTrainingRow(of, short, 1, buffers);
    const third = Math.fround(1 / 3);
    expect(buffers).toEqual({
      tokens: Int32Array.of(25, 1, 2, 3, 4, 25, 1, 7, pad, pad),
      positions: Int32Array.of(2, 3, 4, 1, 2, 2),
      labels: Int32Array.of(3, 4, 5, 7, 5, pad),
      weights: Float32Array.of(third, third, third, 0.5, 0.5, 0),
      variablePosition: Int32Array.of(0, 0),
    });
  });

  it('weigh every token as one in a question, whose loss is minus the log-probability of the answer', () => {
    const buffers = allocateFields(questionFields(of), 1);
    writeQuestionRow(of, short, null, 0, buffers);
    expect(buffers['weights']).toEqual(Float32Array.of(1, 1, 0));
    expect(buffers).not.toHaveProperty('contrast');
  });
});

describe('target text', () => {
  it('asks for each next token that can be answered, and for the end', () => {
    const of = layout({});
    expect(of).toMatchObject({ blockSize: 6, queries: 5 });
    expect(rows(of)).toEqual({
      tokens: [11, 25, 3, pad, pad, pad, 25, 1, 2, 3, 13, pad],
      positions: [0, 1, 2, 3, 4, 0, 1, 2, 3, 4],
      labels: [pad, 3, pad, pad, pad, 1, 2, 3, 13, pad],
      weights: [0, 1, 1, 0, 0, 1, 1, 1, 1, 1],
      variablePosition: [1, 0],
    });
  });

  it('weighs rows equally', () => {
    const { weights } = rows(layout({ normalisation: 'example' }));
    expect(weights).toEqual([0, 0.5, 0.5, 0, 0, ...Array<number>(5).fill(Math.fround(0.2))]);
  });

  it('counts padding where the authors do', () => {
    const { weights, labels } = rows(layout({ includePadding: true }, 8));
    expect(weights).toEqual([0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
    expect(labels!.slice(7)).toEqual([1, 2, 3, 13, pad, pad, pad]);
  });

  it('has no end to ask for in a row without padding', () => {
    const { weights, labels } = rows(layout({}, 5));
    expect(labels!.slice(4)).toEqual([1, 2, 3, 13]);
    expect(weights!.slice(4)).toEqual([1, 1, 1, 1]);
  });
});

describe('questions', () => {
  it.each(['answer', 'text'] as const)('end before the answer with target %s', (target) => {
    const of = layout({ target });
    const buffers = allocateFields(questionFields(of), 1);
    writeQuestionRow(of, question, 14, 0, buffers);
    const padding = Array<number>(of.blockSize - 4).fill(pad);
    expect(buffers).toEqual({
      tokens: Int32Array.of(25, 1, 2, 3, ...padding),
      positions: Int32Array.of(3),
      labels: Int32Array.of(13),
      weights: Float32Array.of(1),
      variablePosition: Int32Array.of(0),
      contrast: Int32Array.of(14),
    });
  });

  it('have no variable among their tokens when it is the answer', () => {
    const of = layout({});
    const buffers = allocateFields(questionFields(of), 1);
    writeQuestionRow(of, { tokens: [11, 3, 25], variableAt: 2 }, 26, 0, buffers);
    expect(buffers['variablePosition']).toEqual(Int32Array.of(-1));
  });
});

describe('textLayout', () => {
  it('refuses a block that cuts texts', () => {
    expect(() => layout({}, 4)).toThrow(UserError);
    expect(() => layout({}, 4)).toThrow(
      'data.blockSize: 4 is too small, the longest row has 5 tokens; raise it',
    );
    expect(layout({ target: 'answer' }, 4).blockSize).toBe(4);
  });
});
