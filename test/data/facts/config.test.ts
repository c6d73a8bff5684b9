import { describe, expect, it, test } from 'vitest';
import { z } from 'zod';
import { buildFactRows } from '../../../data/facts/build.js';
import { wordTags } from '../../../data/facts/config.js';
import { peopleSchema } from '../../../data/people/config.js';
import { worksSchema } from '../../../data/works/config.js';
import { factConfig, inventedEntities } from '../support/facts.js';

const messageOf = (schema: z.ZodType, changes: object): string => {
  const { error } = schema.safeParse({ entities: 100, ...changes });
  return error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ') ?? 'good';
};

describe.each([
  ['people', peopleSchema, 1 / 6],
  ['works', worksSchema, 0.25],
] as const)('%s', (_name, schema, testShare) => {
  it('has defaults', () => {
    expect(schema.parse({ entities: 100 })).toMatchObject({
      alpha: 1,
      seedStage2: 0,
      definitions: 'tags',
      definitionOrder: 'tve',
      tags: {},
      brackets: true,
      testShare,
      attribution: ['who', 'meaning', 'standFor', 'name'],
      pretraining: null,
      content: 'experiment',
      tokenizer: 'words',
      fractions: { qd1consis: 0.25, d3consis: 0.08, no_qd_baseline: 0.06 },
    });
  });

  it('describes every key', () => {
    const { properties } = z.toJSONSchema(schema, { io: 'input' });
    const undescribed = Object.entries(properties ?? {}).filter(
      ([, own]) => typeof own === 'boolean' || own.description === undefined,
    );
    expect(undescribed).toEqual([]);
  });

  it.each([
    [{ fractions: { qd1consis: 0.5, q: 0.4 } }, /^fractions: they sum to 0.9; make it 1/],
    [{ definitions: 'nl' }, /^fractions.d3consis: definitions of the form nl/],
    [
      {
        definitions: 'isIsnt',
        fractions: { d1consis: 0.5, d2consis: 0.5 },
        tags: { reliable: 'x' },
      },
      /^tags: definitions of the form isIsnt have none/,
    ],
    [{ tags: { reliable: 'is', unreliable: 'is' } }, /^tags: two tags have the same text/],
    [{ tags: { reliable: ' is' } }, /^tags.reliable: expected words/],
    [{ attribution: ['who', 'who'] }, /^attribution: a question is there twice/],
    [{ alpha: 2 }, /^alpha/],
    [{ unknown: 1 }, /unknown/],
  ])('refuses %j', (changes, message) => {
    expect(messageOf(schema, changes)).toMatch(message);
  });

  it.each([
    [
      { definitionOrder: 'vet' },
      /^definitionOrder: with the tokenizer words .* which have no logits; use tve or vte/,
    ],
    [{ content: 'facts' }, /^pretraining: content facts is made of its sentences; give heldOut and seed/],
    [
      { definitions: 'nl', fractions: { d1consis: 0.5, d2consis: 0.5 } },
      /^definitions: the tokenizer words has one token a tag/,
    ],
  ])('refuses %j with the tokenizer words', (changes, message) => {
    expect(messageOf(schema, changes)).toMatch(message);
  });

  it.each(Object.entries(wordTags))('takes the tags %s', (_tags, tags) => {
    expect(messageOf(schema, { tags })).toBe('good');
  });
});

test('files of sources that no package has must be given', () => {
  expect(messageOf(peopleSchema, { people: 'cvdb' })).toMatch(/^cvdb: people: cvdb needs the file/);
  expect(messageOf(worksSchema, { works: 'trex' })).toMatch(/^trex: works: trex needs files/);
});

describe('sizes', () => {
  it('refuse subsets that get nothing, or one where two are needed', () => {
    const sizes = (changes: object) => () => {
      const config = factConfig({ entities: 20, ...changes });
      return buildFactRows(inventedEntities(config.entities), config, 0);
    };
    expect(sizes({ entities: 4 })).toThrow(
      /^data.fractions.q_no_replacement_baseline: .* none; raise data.entities/,
    );
    expect(sizes({ fractions: { q: 0.95, qd2incons: 0.05 } })).toThrow(
      /^qd2incons has a single entity, .* raise data.entities/,
    );
    expect(sizes({ fractions: { q: 0.5, qd1consis: 0.5 }, alpha: 0.9 })).toThrow(
      /^qd1incons has a single entity/,
    );
    expect(sizes({ fractions: { q: 0.5, qd1consis: 0.5 }, alpha: 0.99 })).toThrow(
      /^data.alpha: qd1incons gets 0.005 of/,
    );
  });
});
