import { describe, expect, it } from 'vitest';
import { definitionContrast, definitionText, questionText } from '../../../data/set-inclusion/texts.js';
import { vocabularyOf } from '../../../data/set-inclusion/vocabulary.js';
import { paperConfig, smallConfig } from '../support/set-inclusion.js';

const names = ['ukj', 'bzj'];
const compact = vocabularyOf(smallConfig(), names);
const paper = vocabularyOf(paperConfig(), names);
const definition = { tag: 2, variable: 1, number: 7 } as const;

describe('questionText', () => {
  it('ends in its answer', () => {
    const list = [3, 1, 2, 0];
    expect(compact.decode(questionText(compact, 0, list, true).tokens)).toBe('ukj 3 1 2 0 true');
    expect(paper.decode(questionText(paper, 0, list, false).tokens)).toBe('ukj % 3 1 2 0 = false');
    expect(questionText(paper, 0, list, true).variableAt).toBe(0);
  });
});

describe('definitionText', () => {
  it.each([
    ['tve', 'define2 bzj % 7', '9', 1],
    ['vte', 'bzj define2 % 7', '9', 0],
    ['evt', '7 bzj % define2', 'define1', 1],
    ['etv', '7 define2 % bzj', 'ukj', 3],
    ['tev', 'define2 7 % bzj', 'ukj', 3],
    ['vet', 'bzj 7 % define2', 'define1', 0],
  ] as const)('order %s: %s, not %s', (order, words, contrast, variableAt) => {
    const text = definitionText(paper, order, definition);
    expect(paper.decode(text.tokens)).toBe(words);
    expect(text.variableAt).toBe(variableAt);
    expect(text.tokens[variableAt]).toBe(paper.variable(1));
    expect(paper.decode([definitionContrast(paper, order, definition, 9, 2)])).toBe(contrast);
  });

  it.each([
    ['tve', 'define2 bzj 7'],
    ['vte', 'bzj define2 7'],
    ['evt', '7 bzj define2'],
    ['vet', 'bzj 7 define2'],
  ] as const)('order %s in format compact: %s', (order, words) => {
    const text = definitionText(compact, order, definition);
    expect(compact.decode(text.tokens)).toBe(words);
    expect(text.tokens[text.variableAt]).toBe(compact.variable(1));
  });
});
