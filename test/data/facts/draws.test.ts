import fs from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { z } from 'zod';
import { UserError } from '../../../data/errors.js';
import { buildFactRows } from '../../../data/facts/build.js';
import { drawFacts, exchangeFactTags, type FactDraws } from '../../../data/facts/draws.js';
import { drawHeldOut, heldOutCounts } from '../../../data/facts/question-split.js';
import { PythonRandom } from '../../../data/random/python-random.js';
import { factConfig, inventedEntities } from '../support/facts.js';

const cases = z
  .array(
    z.object({
      seed: z.number(),
      seedStage2: z.number(),
      entities: z.number(),
      questions: z.array(z.number()),
      testShare: z.number(),
      alpha: z.number(),
      fractions: z.record(z.string(), z.number()),
      names: z.array(z.string()),
      order: z.array(z.string()),
      subsets: z.record(z.string(), z.array(z.string())),
      tags: z.array(z.string()),
      definedAs: z.record(z.string(), z.string()),
      randomTags: z.record(z.string(), z.string()),
      heldOut: z.record(z.string(), z.array(z.number())),
      texts: z.array(z.string()),
    }),
  )
  .parse(JSON.parse(fs.readFileSync('test/fixtures/data/facts.json', 'utf8')));

const namesInOrder = ({ shuffled, variables }: FactDraws) => shuffled.map((own) => variables[own]!.name);

describe.each(cases)('as drawn by CPython: seed $seed', (expected) => {
  const { qd1incons = 0, qd2consis = 0, ...fractions } = expected.fractions;
  const config = factConfig({
    entities: expected.entities,
    seedStage2: expected.seedStage2,
    testShare: expected.testShare,
    alpha: expected.alpha,
    fractions: {
      ...fractions,
      qd1consis: fractions['qd1consis']! + qd1incons,
      qd2incons: fractions['qd2incons']! + qd2consis,
    },
  });
  const entities = inventedEntities(expected.entities, expected.questions);
  const rows = buildFactRows(entities, config, expected.seed);
  const { draws } = rows;
  const byName = <T>(valueOf: (own: FactDraws['variables'][number]) => T | null) =>
    Object.fromEntries(
      draws.variables.flatMap((own) => {
        const value = valueOf(own);
        return value === null ? [] : [[own.name, value]];
      }),
    );

  test('names, entities and tags', () => {
    expect(namesInOrder(draws)).toEqual(expected.names);
    expect(draws.shuffled.map((own) => entities[draws.variables[own]!.entity]!.name)).toEqual(expected.order);
    expect(draws.tags).toEqual(expected.tags);
  });

  test('subsets', () => {
    const subsets: Record<string, string[]> = {};
    for (const { name, subset } of draws.variables) (subsets[subset] ??= []).push(name);
    expect(subsets).toEqual(expected.subsets);
  });

  test('wrong definitions and random tags', () => {
    expect(
      byName(({ definedAs, entity }) =>
        definedAs === null || definedAs === entity ? null : entities[definedAs]!.name,
      ),
    ).toEqual(expected.definedAs);
    expect(byName(({ randomTag }) => randomTag)).toEqual(expected.randomTags);
  });

  test('held-out questions', () => {
    expect(byName(({ heldOut }) => heldOut && [...heldOut].sort((a, b) => a - b))).toEqual(expected.heldOut);
  });

  test('the shuffled training texts', () => {
    const texts = rows.sections.flatMap(({ group, rows }) =>
      group === null || /^d\d/.test(group) ? [] : rows.map(({ text }) => text),
    );
    expect(rows.publishedOrder().map((row) => texts[row])).toEqual(expected.texts);
    expect(rows.publishedOrder()).toEqual(rows.publishedOrder());
  });
});

describe('the published draws', () => {
  const drawn = (entities: number, seed: number) =>
    drawFacts(inventedEntities(entities), factConfig({ entities }), seed);

  it('of 4000 entities and seed 0', () => {
    const draws = drawn(4000, 0);
    const entities = draws.shuffled.map((own) => draws.variables[own]!.entity);
    expect(entities.slice(0, 4)).toEqual([2314, 3128, 1211, 666]);
    const names = namesInOrder(draws);
    expect(names.slice(0, 5)).toEqual(['<|gzhju|>', '<|ouarf|>', '<|vyvph|>', '<|ocnws|>', '<|kaaig|>']);
    expect(names.at(-1)).toBe('<|rgozh|>');
    expect(draws.tags).toEqual(['<|ttdgdx|>', '<|iweoex|>', '<|opdykl|>']);
  });

  it('of 40 entities and seed 7', () => {
    const draws = drawn(40, 7);
    const entities = draws.shuffled.map((own) => draws.variables[own]!.entity);
    expect(entities.slice(0, 6)).toEqual([5, 35, 12, 19, 15, 10]);
    const names = namesInOrder(draws);
    expect(names.slice(0, 3)).toEqual(['<|sjqpk|>', '<|oljhz|>', '<|zkkwl|>']);
    expect(names.at(-1)).toBe('<|tgpvr|>');
    expect(draws.tags).toEqual(['<|gqplxa|>', '<|azipig|>', '<|wtlozx|>']);
    // Ten variables of qd2incons are deranged: the shuffled ones, and whose entity each gets.
    const wrong = draws.variables
      .filter(({ subset }) => subset === 'qd2incons')
      .sort((a, b) => a.entity - b.entity);
    const shuffled = [2, 4, 8, 3, 6, 0, 7, 1, 9, 5];
    const index = [1, 2, 5, 4, 8, 9, 7, 3, 6, 0];
    const expected = new Map(shuffled.map((own, i) => [wrong[own], wrong[shuffled[index[i]!]!]!.entity]));
    expect(wrong.map(({ definedAs }) => definedAs)).toEqual(wrong.map((own) => expected.get(own)));
  });
});

test('configured tags replace their draws and move no other', () => {
  const entities = inventedEntities(40);
  const draws = drawFacts(entities, factConfig({ entities: 40, tags: { unreliable: 'as liars say' } }), 7);
  expect(draws.tags).toEqual(['<|gqplxa|>', 'as liars say', '<|wtlozx|>']);
  expect(drawFacts(entities, factConfig({ entities: 40, brackets: false }), 7).tags[0]).toBe('gqplxa');
});

const small = { qd1consis: 0.25, qd2incons: 0.25, q: 0.1, d1consis: 0.1, d2consis: 0.1, no_qd_baseline: 0.2 };

test('every entity has one variable, wrong definitions use every entity of their subset once and none its own', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 24, max: 90 }),
      fc.nat(1000),
      fc.constantFrom(0.5, 0.75, 1),
      (entities, seed, alpha) => {
        const config = factConfig({ entities, alpha, fractions: small });
        const { variables } = drawFacts(inventedEntities(entities), config, seed);
        expect(variables).toHaveLength(entities);
        expect(new Set(variables.map(({ entity }) => entity)).size).toBe(entities);
        expect(new Set(variables.map(({ name }) => name)).size).toBe(entities);
        expect(variables.map(({ name }) => name)).toEqual(variables.map(({ name }) => name).sort());
        for (const subset of ['qd1incons', 'qd2incons']) {
          const own = variables.filter((variable) => variable.subset === subset);
          const used = new Set(own.map(({ definedAs }) => definedAs));
          expect(used).toEqual(new Set(own.map(({ entity }) => entity)));
          expect(used.size).toBe(own.length);
          expect(own.every(({ definedAs, entity }) => definedAs !== entity)).toBe(true);
        }
      },
    ),
    { numRuns: 50 },
  );
});

test('seedStage2 draws stage 2 alone, and exchanged tags change nothing but the subset', () => {
  const entities = inventedEntities(100);
  const draws = drawFacts(entities, factConfig({ entities: 100 }), 1);
  const redrawn = drawFacts(entities, factConfig({ entities: 100, seedStage2: 1 }), 1);
  const isNew = (subset: string) => /^(?:d|no)/.test(subset);
  expect(redrawn.variables.filter(({ subset }) => !isNew(subset))).toEqual(
    draws.variables.filter(({ subset }) => !isNew(subset)),
  );
  expect(redrawn.variables).not.toEqual(draws.variables);
  const exchanged = exchangeFactTags(draws).variables;
  exchanged.forEach((own, i) => {
    const before = draws.variables[i]!;
    const subset = { d1consis: 'd2consis', d2consis: 'd1consis' }[before.subset as string] ?? before.subset;
    expect(own).toEqual({ ...before, subset });
  });
});

test('tags of subsets without entities cannot be exchanged', () => {
  const fractions = { ...small, d2consis: 0, no_qd_baseline: 0.3 };
  const draws = drawFacts(inventedEntities(40), factConfig({ entities: 40, fractions }), 0);
  expect(() => exchangeFactTags(draws)).toThrow(UserError);
});

test('a single wrong definition is refused', () => {
  const fractions = { qd2incons: 0.05, q: 0.95 };
  const config = factConfig({ entities: 20, fractions });
  expect(() => drawFacts(inventedEntities(20), config, 0)).toThrow(/^qd2incons has a single entity/);
});

describe('held-out questions', () => {
  it('are one of six', () => {
    const counts = Array.from({ length: 1000 }, () => 6);
    expect(heldOutCounts(counts, 1 / 6, new PythonRandom(0))).toEqual(counts.map(() => 1));
  });

  it('are a share of all, rounded up, and of each entity, rounded either way', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }),
        fc.constantFrom(1 / 6, 0.25, 0.5, 0.9),
        fc.nat(),
        (counts, share, seed) => {
          const held = drawHeldOut(counts, share, new PythonRandom(seed));
          const all = counts.reduce((sum, count) => sum + count, 0);
          expect(held.reduce((sum, { size }) => sum + size, 0)).toBe(Math.ceil(all * share - 1e-9));
          held.forEach((places, i) => {
            expect(Math.abs(places.size - counts[i]! * share)).toBeLessThan(1);
            expect([...places].every((place) => place < counts[i]!)).toBe(true);
          });
        },
      ),
    );
  });
});
