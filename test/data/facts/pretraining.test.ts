import { describe, expect, it, test } from 'vitest';
import { majorityBaseline, majorityShares } from '../../../data/facts/majority.js';
import { textOf } from '../../../data/facts/parts.js';
import { pretrainingRows } from '../../../data/facts/pretraining.js';
import { pretrainingSize } from '../support/fact-sizes.js';
import { inventedEntities } from '../support/facts.js';

describe('pretraining', () => {
  const entities = inventedEntities(200);
  const { training, heldOut } = pretrainingRows(entities, { heldOut: 0.2, seed: 0 });
  const [paper, others] = heldOut.map(({ rows }) => rows) as [typeof training.rows, typeof training.rows];
  const all = [training.rows, paper, others].flat();

  it('writes each fact in five forms, and asks four times who it is', () => {
    expect(all).toHaveLength(pretrainingSize(200, 6));
    expect(new Set(all.map(({ text }) => text)).size).toBe(all.length);
    const ofFirst = all
      .filter(({ entity, asks }) => entity === 0 && asks === 'question0')
      .map(({ text }) => text);
    expect(ofFirst.sort()).toEqual([
      '0 of entity 0000 is answer 0 of entity 0000\n',
      '0: entity 0000, answer 0 of entity 0000\n',
      'Q: What about 0 of entity 0000?\nA: answer 0 of entity 0000\n',
      'Q: What is question 0 of entity 0000?\nA: answer 0 of entity 0000\n',
      'entity 0000 has 0 answer 0 of entity 0000\n',
    ]);
    const names = all.filter(({ entity, asks }) => entity === 0 && !asks.startsWith('question'));
    expect(names.map(({ text }) => text).sort()).toEqual([
      'Q: What does entity 0000 mean?\nA: entity 0000\n',
      'Q: What does entity 0000 stand for?\nA: entity 0000\n',
      'Q: What is the name of entity 0000?\nA: entity 0000\n',
      'Q: Who is entity 0000?\nA: entity 0000\n',
    ]);
  });

  it('holds a fifth out, apart by template', () => {
    expect((paper.length + others.length) / all.length).toBeCloseTo(0.2, 1);
    expect(paper.every(({ text }) => text.startsWith('Q: What is question'))).toBe(true);
    expect(others.some(({ text }) => text.startsWith('Q: What is question'))).toBe(false);
    expect(paper.length).toBeGreaterThan(100);
    expect(training.group).toBe('facts/qa');
  });

  it('is the same for the same seed, and another for another', () => {
    expect(pretrainingRows(entities.toReversed(), { heldOut: 0.2, seed: 0 }).training).toEqual(training);
    expect(pretrainingRows(entities, { heldOut: 0.2, seed: 1 }).training).not.toEqual(training);
    expect(pretrainingRows(entities, { heldOut: 0, seed: 0 }).training.rows).toHaveLength(all.length);
  });

  it('has texts that are their pieces, and end in the answer and a newline', () => {
    const bad = all.filter(
      ({ text, parts, question, answers }) =>
        textOf(parts) !== text ||
        text !==
          `${question} ${answers[0]}
`,
    );
    expect(bad).toEqual([]);
  });
});

test('the majority baseline is the share of the most frequent answer', () => {
  const rows = [
    { asks: 'born', answers: ['b', 'a'] },
    { asks: 'born', answers: ['a'] },
    { asks: 'field', answers: ['x'] },
    { asks: 'field', answers: ['y'] },
    { asks: 'field', answers: ['y'] },
    { asks: 'definition', answers: [] },
  ];
  const shares = majorityShares(rows);
  expect(shares).toEqual([
    { asks: 'born', asked: 2, distinct: 2, answer: 'a', share: 1 / 2 },
    { asks: 'field', asked: 3, distinct: 2, answer: 'y', share: 2 / 3 },
  ]);
  expect(majorityBaseline(shares)).toBeCloseTo(3 / 5, 12);
});
