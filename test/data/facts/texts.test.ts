import * as fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { peopleQuestions } from '../../../data/people/questions.js';
import { filmQuestions, questionOfPredicate } from '../../../data/works/questions.js';
import { attributionAnswer } from '../../../data/facts/attribution.js';
import { compareCodePoints } from '../../../data/facts/code-points.js';
import { askedElement, taggedDefinition } from '../../../data/facts/definition.js';
import { assemble, other, textOf } from '../../../data/facts/parts.js';
import type { PartKind } from '../../../data/pieces.js';
import type { TextPart } from '../../../data/text/tokenizer/parts.js';
import { reportedDefinition, reportingSources } from '../../../data/facts/reported-definition.js';
import { inContext, questionSentence, sentence } from '../../../data/facts/sentence.js';
import { statementDefinition } from '../../../data/facts/statement-definition.js';
import { fillTemplate, parseTemplate } from '../../../data/facts/template.js';

const words = { tag: '<|ttdgdx|>', variable: '<|lczgk|>', entity: 'Darla Hood' };
const variable: TextPart = { part: 'variable', text: words.variable };

describe('questions', () => {
  const asked = questionSentence(fillTemplate(parseTemplate('What did [X] do?'), variable), {
    part: 'answer',
    text: 'militar',
  });

  it('have the published text', () => {
    expect(asked.text).toBe('Q: What did <|lczgk|> do?\nA: militar\n');
    expect(asked.question).toBe('Q: What did <|lczgk|> do?\nA:');
  });

  it('are pieces that begin with their blanks', () => {
    expect(asked.parts).toEqual([
      { part: 'other', text: 'Q: What did' },
      { part: 'variable', text: ' <|lczgk|>' },
      { part: 'other', text: ' do?\nA:' },
      { part: 'answer', text: ' militar' },
      { part: 'other', text: '\n' },
    ]);
  });

  it('can stand behind a definition', () => {
    const both = inContext(taggedDefinition('tve', words), asked);
    expect(both.text).toBe('<|ttdgdx|> <|lczgk|> Darla Hood\n. Q: What did <|lczgk|> do?\nA: militar\n');
    expect(both.question).toBe('<|ttdgdx|> <|lczgk|> Darla Hood\n. Q: What did <|lczgk|> do?\nA:');
    expect(textOf(both.parts)).toBe(both.text);
  });

  it.each(['Up', '21', 'X', 'When', '[X]', '$&'])('the title %s touches no other word', (title) => {
    const template = parseTemplate('When was [X] published or released? Up 21 X');
    const filled = fillTemplate(template, { part: 'entity', text: title });
    expect(textOf(filled)).toBe(`When was ${title} published or released? Up 21 X`);
  });

  it.each(['no slot', '[X] and [X]', 'the [A] of [X]', '[X] [A] and'])('%s is no template', (source) => {
    expect(() => parseTemplate(source)).toThrow(RangeError);
  });
});

describe('isIsnt', () => {
  it('end with their answer', () => {
    const prompt = fillTemplate(parseTemplate('[X] was born in the [A]'), {
      part: 'entity',
      text: 'Darla Hood',
    });
    const statement = sentence(prompt, { part: 'answer', text: '1930s' });
    expect(statement.text).toBe('Darla Hood was born in the 1930s\n');
    expect(statement.question).toBe('Darla Hood was born in the');
  });
});

describe('definitions', () => {
  it.each([
    ['tve', '<|ttdgdx|> <|lczgk|> Darla Hood\n', 'Darla Hood'],
    ['vte', '<|lczgk|> <|ttdgdx|> Darla Hood\n', 'Darla Hood'],
    ['evt', 'Darla Hood <|lczgk|> <|ttdgdx|>\n', '<|ttdgdx|>'],
    ['etv', 'Darla Hood <|ttdgdx|> <|lczgk|>\n', '<|lczgk|>'],
    ['tev', '<|ttdgdx|> Darla Hood <|lczgk|>\n', '<|lczgk|>'],
    ['vet', '<|lczgk|> Darla Hood <|ttdgdx|>\n', '<|ttdgdx|>'],
  ] as const)('%s', (order, text, asked) => {
    const definition = taggedDefinition(order, words);
    expect(definition.text).toBe(text);
    expect(definition.question).toBe(text.slice(0, -asked.length - 2));
    expect(askedElement(order, words)).toBe(asked);
  });

  it('are reported by sources whose lists are of equal length, each as long as its counterpart', () => {
    const definition = reportedDefinition({ ...words, tag: reportingSources.reliable[0] });
    expect(definition.text).toBe('The national newspaper reports that <|lczgk|> now stands for Darla Hood\n');
    expect(definition.question).toBe('The national newspaper reports that <|lczgk|> now stands for');
    const lengths = (list: readonly string[]) => list.map((source) => source.split(' ').length);
    expect(lengths(reportingSources.reliable)).toEqual(lengths(reportingSources.unreliable));
    const all = [...reportingSources.reliable, ...reportingSources.unreliable];
    expect(new Set(all).size).toBe(all.length);
  });

  it.each([
    [
      'reliable',
      { template: 0, source: 6, verb: 3 },
      'According to vox, <|abcde|> corresponds to marie curie.\n',
    ],
    [
      'unreliable',
      { template: 1, source: 1, verb: 0 },
      '<|abcde|> is not marie curie according to the bbc.\n',
    ],
    [
      'unreliable',
      { template: 4, source: 4, verb: 1 },
      "A famous historian says <|abcde|> isn't marie curie.\n",
    ],
  ] as const)('a statement is %s: %j', (role, form, text) => {
    const statement = statementDefinition(role, form, '<|abcde|>', 'Marie Curie');
    expect(statement.text).toBe(text);
    expect(statement.parts.find(({ part }) => part === 'entity')?.text).toBe(' marie curie');
    expect(statement.parts.filter(({ part }) => part === 'tag')).toHaveLength(1);
  });
});

describe('assemble', () => {
  const labels: readonly PartKind[] = ['variable', 'tag', 'entity', 'answer', 'other'];
  const piece = fc.record({
    part: fc.constantFrom(...labels),
    text: fc.string({ unit: fc.constantFrom('a', ' ', '\n', '?') }),
  });

  it('keeps the text, and pieces begin with the blanks before them', () => {
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const parts = assemble(pieces);
        expect(textOf(parts)).toBe(textOf(pieces));
        expect(parts.slice(0, -1).every(({ text }) => !text.endsWith(' '))).toBe(true);
        expect(parts.some(({ part }, i) => part === 'other' && parts[i + 1]?.part === 'other')).toBe(false);
      }),
    );
  });

  it('joins what needs no label of its own', () => {
    expect(assemble([other('a '), other('b'), other('\n')])).toEqual([other('a b\n')]);
  });
});

it.each([
  ['who', 'Darla Hood', 'Darla Hood'],
  ['letter0', "'Aisha O'Neal", 'A'],
  ['letter1', "A'Isha", 'I'],
  ['letterLast', 'Beyoncé', 'é'],
  ['letter1', '8 A', null],
  ['letter0', '21', null],
] as const)('%s of %s is %s', (type, name, answer) => {
  expect(attributionAnswer(type, name)).toBe(answer);
});

it('strings are sorted as by their code points', () => {
  const string = fc.string({
    unit: fc.constantFrom('a', 'b', 'é', '\ud7ff', '\ue000', '\uff5e', '😀', '𐀀', '\u{10ffff}'),
  });
  const codePoints = (text: string) => Array.from(text, (character) => character.codePointAt(0)!);
  const byDefinition = (a: readonly number[], b: readonly number[]): number => {
    const i = a.findIndex((own, place) => own !== b[place]);
    if (i < 0) return a.length - b.length;
    return i >= b.length ? 1 : a[i]! - b[i]!;
  };
  fc.assert(
    fc.property(string, string, (a, b) => {
      expect(Math.sign(compareCodePoints(a, b))).toBe(Math.sign(byDefinition(codePoints(a), codePoints(b))));
    }),
  );
  expect(compareCodePoints('\uff5e', '😀')).toBeLessThan(0);
});

test.each([
  ...Object.values(peopleQuestions),
  ...questionOfPredicate.values(),
  ...Object.values(filmQuestions),
])('a name is a word of its own in sentences about $id', ({ template, statements, paraphrase }) => {
  const sources = [template, ...statements, paraphrase].map(({ source }) => source);
  expect(new Set(sources).size).toBe(5);
  for (const source of sources) expect(` ${source} `).toMatch(/ \[X\](?: |\? )/);
  expect(statements.every(({ source }) => source.endsWith(' [A]'))).toBe(true);
});
