import * as fc from 'fast-check';
import { beforeAll, describe, expect, it, test } from 'vitest';
import { checkDesign, requireDesigned } from '../../../data/design.js';
import { publishedFractions } from '../../../data/facts/assignment.js';
import { buildFactRows, type FactRows } from '../../../data/facts/build.js';
import type { FactConfig } from '../../../data/facts/config.js';
import { factDesign } from '../../../data/facts/design.js';
import { textOf } from '../../../data/facts/parts.js';
import { withAnswer } from '../../../data/facts/sentence.js';
import { exchangedWith, type FactRow, type FactSection } from '../../../data/facts/rows.js';
import { factSectionSizes } from '../support/fact-sizes.js';
import { factConfig, inventedEntities, rowOf, sectionOf, sectionSizes } from '../support/facts.js';

const trainingSize = (rows: FactRows, parts: readonly string[]): number =>
  rows.sections
    .filter(({ group, subset }) => {
      const part = factDesign.subsets.find(({ name }) => name === subset)?.part;
      return group !== null && part !== undefined && parts.includes(part);
    })
    .reduce((sum, { rows: own }) => sum + own.length, 0);

describe('4000 entities with the published fractions', () => {
  let rows: FactRows;
  beforeAll(() => {
    rows = buildFactRows(inventedEntities(4000), factConfig(), 0);
  });

  it('has the published sizes', () => {
    expect(trainingSize(rows, ['X1'])).toBe(16_000);
    expect(trainingSize(rows, ['X2'])).toBe(960);
    expect(trainingSize(rows, ['X1', 'X2'])).toBe(16_960);
    expect(sectionSizes(rows.sections)).toMatchObject({
      train_questions_qd1consis: 5000,
      train_questions_qd2incons: 5000,
      train_questions_q: 2000,
      train_questions_q_no_replacement_baseline: 2000,
      train_defs_qd1consis: 1000,
      train_defs_qd2incons: 1000,
      train_defs_d3consis: 320,
      qd1consis: 1000,
      qd2incons: 1000,
      q: 400,
      q_no_replacement_baseline: 400,
      d1consis: 1920,
      d2consis: 1920,
      d3consis: 1920,
      d2incons: 1920,
      no_qd_baseline: 1440,
    });
    const inTests = (isAttribution: boolean) =>
      rows.sections
        .filter(({ group, name }) => group === null && name.startsWith('ent_assoc_') === isAttribution)
        .reduce((sum, { rows: own }) => sum + own.length, 0);
    expect(inTests(false)).toBe(11_920);
    expect(inTests(true)).toBe(4 * 4360);
  });

  it('has the published texts', () => {
    expect(rows.draws.variables.find(({ name }) => name === '<|gzhju|>')).toMatchObject({
      entity: 2314,
      subset: 'q_no_replacement_baseline',
    });
    const definition = rowOf(rows, 'train_defs_qd1consis');
    const { name, entity } = rows.draws.variables[definition.variable]!;
    expect(definition.text).toBe(`<|ttdgdx|> ${name} entity ${String(entity).padStart(4, '0')}\n`);
  });
});

test.each([
  ['withoutThirdTag', 16_000, 800],
  ['gradients', 16_400, 800],
] as const)('fractions %s have the published sizes', (name, stage1, stage2) => {
  const sizes = factSectionSizes(factConfig({ fractions: publishedFractions[name] }), 6);
  const trained = (start: RegExp) =>
    sizes.reduce((sum, { group, rows }) => sum + (group !== null && start.test(group) ? rows : 0), 0);
  expect([trained(/^q/), trained(/^d/)]).toEqual([stage1, stage2]);
});

test.each([
  [0.5, 500, 500],
  [0.6, 600, 400],
  [0.7, 700, 300],
  [0.8, 800, 200],
  [0.9, 900, 100],
  [0.95, 950, 50],
  [0.97, 970, 30],
])('alpha %d divides both tags alike', (alpha, most, few) => {
  const sizes = Object.fromEntries(
    factSectionSizes(factConfig({ alpha }), 6).map(({ name, rows }) => [name, rows]),
  );
  expect(sizes).toMatchObject({
    train_defs_qd1consis: most,
    train_defs_qd1incons: few,
    train_defs_qd2incons: most,
    train_defs_qd2consis: few,
    d1consis: 1920,
  });
});

const everything = {
  qd1consis: 0.2,
  qd2incons: 0.2,
  qd4consis: 0.1,
  q: 0.1,
  q_no_replacement_baseline: 0.1,
  d1consis: 0.1,
  d2consis: 0.1,
  d3consis: 0.05,
  no_qd_baseline: 0.05,
};
const twoTags = { ...everything, qd4consis: 0, d3consis: 0, q: 0.25 };
const variants: readonly (readonly [string, object])[] = [
  ['tags', { fractions: everything, alpha: 0.8 }],
  ['another order', { fractions: everything, definitionOrder: 'vet' }],
  ['nl', { fractions: twoTags, definitions: 'nl' }],
  ['isIsnt', { fractions: twoTags, definitions: 'isIsnt' }],
  ['inContext', { fractions: everything, definitions: 'inContext' }],
  ['letters', { fractions: everything, attribution: ['who', 'letter0', 'letterLast'] }],
  ['without trained definitions', { fractions: publishedFractions.withoutTrainedDefinitions }],
];

describe.each(variants)('%s', (_name, changes) => {
  const config: FactConfig = factConfig({ entities: 100, ...changes });
  const entities = inventedEntities(100);
  const rows = buildFactRows(entities, config, 3);
  const all = rows.sections.flatMap(({ rows: own }) => own);

  it('has the sizes that arithmetic says', () => {
    const shape = ({ name, subset, kind, group }: Omit<FactSection, 'rows'>, size: number) => ({
      name,
      subset,
      kind,
      group,
      size,
    });
    expect(rows.sections.map((own) => shape(own, own.rows.length))).toEqual(
      factSectionSizes(config, 6).map((own) => shape(own, own.rows)),
    );
  });

  it('fits the design', () => {
    expect(checkDesign('facts', factDesign)).toEqual(factDesign);
    const groups = rows.sections.flatMap(({ group }) => group ?? []);
    expect(() => requireDesigned('facts', factDesign, { groups, tests: rows.sections })).not.toThrow();
  });

  it('has texts that are their pieces, and end in the answer and a newline', () => {
    const isGood = ({ question, answers, text, parts }: FactRow): boolean =>
      textOf(parts) === text &&
      (answers.length === 0 ||
        (text === `${question} ${answers[0]}\n` &&
          textOf(withAnswer({ parts }, 'another')) === `${question} another\n`));
    expect(all.filter((row) => !isGood(row))).toEqual([]);
  });

  it('orders rows by variable, whose names are in order', () => {
    for (const { rows: own, name } of rows.sections) {
      const numbers = own.map(({ variable }) => variable);
      expect(numbers, name).toEqual(numbers.toSorted((a, b) => a - b));
    }
  });

  it('shows variables, and real names only where they are asked, defined, or not replaced', () => {
    const isGood = ({ variable, question, asks }: FactRow, isReplaced: boolean): boolean =>
      asks === 'definition' ||
      config.definitions === 'inContext' ||
      (question.includes(rows.draws.variables[variable]!.name) === isReplaced &&
        question.includes('entity') === !isReplaced);
    const bad = rows.sections.flatMap(({ rows: own, subset }) =>
      own.filter((row) => !isGood(row, subset !== 'q_no_replacement_baseline')),
    );
    expect(bad).toEqual([]);
  });

  it('compares answers with different ones', () => {
    expect(all.filter(({ answers, contrast }) => contrast !== null && answers.includes(contrast))).toEqual(
      [],
    );
    const unequal = all.filter(({ answers, asks }) => answers.length > 0 && !asks.startsWith('letter'));
    expect(unequal.every(({ contrast }) => contrast !== null)).toBe(true);
  });
});

describe('rows', () => {
  const config = factConfig({ entities: 100, fractions: everything, alpha: 0.8 });
  const entities = inventedEntities(100, [6, 7, 4]);
  const rows = buildFactRows(entities, config, 5);
  const { variables, tags } = rows.draws;

  it('hold out questions that training does not ask', () => {
    fc.assert(
      fc.property(fc.nat(200), fc.constantFrom(1 / 6, 0.25, 0.5), (seed, testShare) => {
        const own = buildFactRows(entities, { ...config, testShare }, seed);
        const trained = own.sections.filter(({ group, kind }) => group !== null && kind === 'qa');
        for (const { subset, rows: training } of trained) {
          const texts = new Set(training.map(({ question }) => question));
          const tested = sectionOf(own, subset).rows;
          expect(tested.some(({ question }) => texts.has(question))).toBe(false);
          const asked = [...training, ...tested].map(({ entity }) => entity);
          for (const entity of new Set(asked)) {
            expect(asked.filter((one) => one === entity)).toHaveLength(entities[entity]!.facts.length);
          }
        }
      }),
      { numRuns: 10 },
    );
  });

  it('define what is right, or another entity', () => {
    for (const [subset, tag] of [
      ['qd1consis', tags[0]],
      ['qd2consis', tags[1]],
      ['qd1incons', tags[0]],
      ['qd2incons', tags[1]],
      ['d1consis', tags[0]],
      ['d2consis', tags[1]],
      ['d3consis', tags[2]],
    ] as const) {
      for (const { text, variable, entity } of sectionOf(rows, `train_defs_${subset}`).rows) {
        const own = variables[variable]!;
        expect(text).toBe(`${tag} ${own.name} ${entities[entity]!.name}\n`);
        expect(entity === own.entity).toBe(!subset.endsWith('incons'));
      }
    }
  });

  it('give each definition of qd4consis a tag of its own', () => {
    const shown = sectionOf(rows, 'train_defs_qd4consis').rows.map(({ text }) => text.split(' ')[0]);
    expect(new Set([...shown, ...tags]).size).toBe(shown.length + 3);
  });

  it('ask d2incons about the entity of a neighbour', () => {
    const own = sectionOf(rows, 'd2incons').rows;
    const asked = new Map(own.map(({ variable, entity }) => [variable, entity]));
    const members = [...asked.keys()];
    expect(members).toEqual(sectionOf(rows, 'train_defs_d2consis').rows.map(({ variable }) => variable));
    expect(asked.get(members[0]!)).toBe(variables[members[1]!]!.entity);
    expect(asked.get(members[1]!)).toBe(variables[members[0]!]!.entity);
  });

  it('ask for the entity of the questions, and for that of a wrong definition', () => {
    const right = rowOf(rows, 'ent_assoc_name_qd2incons');
    const wrong = rowOf(rows, 'ent_assoc_name_qd2incons_swapped');
    const own = variables[right.variable]!;
    expect(right.question).toBe(`Q: What is the name of ${own.name}?\nA:`);
    expect(wrong.question).toBe(right.question);
    expect(right).toMatchObject({
      answers: [entities[own.entity]!.name],
      contrast: entities[own.definedAs!]!.name,
    });
    expect(wrong).toMatchObject({
      answers: right.contrast === null ? [] : [right.contrast],
      contrast: right.answers[0],
    });
    expect(rows.sections.some(({ name }) => name === 'ent_assoc_who_qd1incons_swapped')).toBe(true);
    const untested = /^ent_assoc_.*_(?:q_no_replacement_baseline|no_qd_baseline|d2incons)/;
    expect(rows.sections.filter(({ name }) => untested.test(name))).toEqual([]);
  });

  it('change definitions', () => {
    expect(rows.counterfactualKinds).toEqual(['tag_swap', 'entity_swap', 'unseen_tag']);
    const { variable } = rowOf(rows, 'train_defs_qd2incons');
    const own = variables[variable]!;
    const name = (entity: number) => entities[entity]!.name;
    expect(rows.counterfactual('tag_swap', variable).text).toBe(
      `${tags[0]} ${own.name} ${name(own.definedAs!)}\n`,
    );
    expect(rows.counterfactual('entity_swap', variable).text).toBe(
      `${tags[1]} ${own.name} ${name(own.entity)}\n`,
    );
    expect(rows.counterfactual('unseen_tag', variable).text).toBe(
      `${tags[2]} ${own.name} ${name(own.definedAs!)}\n`,
    );
    const members = sectionOf(rows, 'train_defs_d1consis').rows;
    const [first, second] = members.map((row) => variables[row.variable]!);
    expect(rows.counterfactual('entity_swap', members[0]!.variable).text).toBe(
      `${tags[0]} ${first!.name} ${name(second!.entity)}\n`,
    );
    const { variable: undefinedOne } = rowOf(rows, 'q');
    expect(() => rows.counterfactual('tag_swap', undefinedOne)).toThrow(RangeError);
  });

  it('exchange tags of stage 2 and leave stage 1 byte for byte', () => {
    const exchanged = buildFactRows(entities, config, 5, { exchangeTags: true });
    const ofStage1 = ({ sections }: FactRows) => sections.filter(({ subset }) => !/^d[12]/.test(subset));
    expect(ofStage1(exchanged)).toEqual(ofStage1(rows));
    const [before, after] = [
      sectionOf(rows, 'train_defs_d1consis'),
      sectionOf(exchanged, 'train_defs_d2consis'),
    ];
    expect(after.rows.map(({ text }) => text)).toEqual(
      before.rows.map(({ text }) => text.replace(tags[0], tags[1])),
    );
    const questions = (own: FactRows, name: string) => sectionOf(own, name).rows.map(({ text }) => text);
    expect(questions(exchanged, 'd2consis')).toEqual(questions(rows, 'd1consis'));
  });
});

test.each(['nl', 'isIsnt'] as const)('%s exchange their kind of words and nothing else', (definitions) => {
  const config = factConfig({ entities: 60, fractions: twoTags, definitions });
  const entities = inventedEntities(60);
  const rows = buildFactRows(entities, config, 2);
  const exchanged = buildFactRows(entities, config, 2, { exchangeTags: true });
  const ofStage1 = ({ sections }: FactRows) => sections.filter(({ subset }) => !/^d[12]/.test(subset));
  expect(ofStage1(exchanged)).toEqual(ofStage1(rows));
  expect(rows.counterfactualKinds).toEqual(['tag_swap', 'entity_swap']);
  for (const row of sectionOf(rows, 'train_defs_d1consis').rows) {
    const swapped = rows.counterfactual('tag_swap', row.variable);
    const labels = ({ parts }: typeof row) => parts.map(({ part }) => part);
    expect(labels(swapped)).toEqual(labels(rows.counterfactual('entity_swap', row.variable)));
    const tag = ({ parts }: typeof row) => parts.find(({ part }) => part === 'tag')!.text;
    expect(tag(swapped)).not.toBe(tag(rows.counterfactual('entity_swap', row.variable)));
  }
  const texts = sectionOf(rows, 'train_defs_d1consis').rows.map(({ text }) => text);
  expect(new Set(texts).size).toBe(texts.length);
});

test('in context, every question about a defined variable stands behind its definition', () => {
  const config = factConfig({ entities: 100, fractions: everything, definitions: 'inContext' });
  const rows = buildFactRows(inventedEntities(100), config, 0);
  expect(rows.sections.some(({ kind }) => kind === 'definition')).toBe(false);
  const { name } = rows.draws.variables[rowOf(rows, 'd1consis').variable]!;
  expect(rowOf(rows, 'd1consis').question).toMatch(
    new RegExp(`^<\\|\\w{6}\\|> ${name.replaceAll('|', '\\|')} entity \\d{4}\\n\\. Q: What`),
  );
  expect(rowOf(rows, 'train_questions_q').question).toMatch(/^Q: /);
  expect(rows.counterfactualKinds).toEqual([]);
});

test('neighbours are exchanged, and the last three of an odd number go round', () => {
  const exchanged = (length: number) => Array.from({ length }, (_, i) => exchangedWith(i, length));
  expect(exchanged(4)).toEqual([1, 0, 3, 2]);
  expect(exchanged(5)).toEqual([1, 0, 3, 4, 2]);
  expect(exchanged(3)).toEqual([1, 2, 0]);
});
