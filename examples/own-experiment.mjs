// An experiment of one's own: variables stand for numbers, a definition says which number, a question asks whether it is
// greater than another. `gradscope run examples/own-experiment.yaml` trains it.
import { createStream, defineExperiment, z } from 'gradscope';
import {
  allocateFields,
  groupName,
  groupsOf,
  hashTables,
  questionFields,
  tableExamples,
  textLayout,
  trainingFields,
  writeQuestionRow,
  writeTrainingRow,
} from 'gradscope/experiments';

/**
 * The subsets of variables. Sources instead of tags: an almanac, which is always right about the variables that questions are
 * asked about, hearsay, which is always wrong about them, and a letter, of which the first stages hold nothing.
 */
const design = {
  tags: [
    { tag: 1, name: 'almanac', role: 'reliable' },
    { tag: 2, name: 'hearsay', role: 'unreliable' },
    { tag: 3, name: 'letter', role: 'new' },
  ],
  subsets: [
    {
      name: 'asked_almanac',
      part: 'X1',
      tag: 1,
      consistent: true,
      trainsQuestions: true,
      description: 'questions and right definitions from the almanac',
    },
    {
      name: 'asked_hearsay',
      part: 'X1',
      tag: 2,
      consistent: false,
      trainsQuestions: true,
      description: 'questions and wrong definitions from hearsay',
    },
    {
      name: 'asked_only',
      part: 'X1',
      tag: null,
      consistent: null,
      trainsQuestions: true,
      description: 'questions without definitions',
    },
    {
      name: 'new_almanac',
      part: 'X2',
      tag: 1,
      consistent: true,
      trainsQuestions: false,
      description: 'right definitions from the almanac, in the last stage',
    },
    {
      name: 'new_hearsay',
      part: 'X2',
      tag: 2,
      consistent: true,
      trainsQuestions: false,
      description: 'right definitions from hearsay, in the last stage',
    },
    {
      name: 'new_letter',
      part: 'X2',
      tag: 3,
      consistent: true,
      trainsQuestions: false,
      description: 'right definitions from a letter, in the last stage',
    },
    {
      name: 'never',
      part: 'none',
      tag: null,
      consistent: null,
      trainsQuestions: false,
      description: 'variables that are never trained on',
    },
  ],
  weak: ['asked_almanac', 'asked_hearsay'],
  strong: ['new_almanac', 'new_hearsay'],
  tagEffect: null,
  consistencyEffect: null,
  questionsOnly: 'asked_only',
  untrained: 'never',
  exchange: ['new_almanac', 'new_hearsay'],
};

const numbers = 8;
// Token ids: padding, answers, tags, then the numbers. A variable's own token comes after all of them.
const pad = 0;
const answers = { no: 1, yes: 2 };
const tags = { 1: 3, 2: 4, 3: 5 };
const firstNumber = 6;
const vocabularySize = firstNumber + numbers;
const words = [
  '.',
  'no',
  'yes',
  ...design.tags.map(({ name }) => `${name}:`),
  ...Array.from({ length: numbers }, (_, n) => `${n}`),
];
const wordOf = (token) => words[token] ?? `x${token - vocabularySize}`;

const subsetOf = (name) => design.subsets.find((subset) => subset.name === name);

/** The variables of a seed: of each the subset, its number, a wrong number, and the numbers that questions compare it with. */
function variablesOf({ variablesPerSubset }, seed, exchangeTags) {
  const random = createStream(seed, 'data');
  const [first, second] = design.exchange;
  const exchanged = { [first]: second, [second]: first };
  return design.subsets.flatMap(({ name }) =>
    Array.from({ length: variablesPerSubset }, () => {
      const number = random.integer(numbers);
      return {
        subset: exchangeTags ? (exchanged[name] ?? name) : name,
        number,
        wrong: (number + 1 + random.integer(numbers - 1)) % numbers,
        others: Array.from(random.permutation(numbers).slice(0, 4)),
      };
    }),
  );
}

const definitionTokens = (tag, variable, number) => [
  tags[tag],
  vocabularySize + variable,
  firstNumber + number,
];

/** Rows of variables: `{ subset, kind, variable, tokens, at, contrast }`, the answer last; kind null: only tested. */
function rowsOf(variables) {
  const rows = variables.flatMap(({ subset, number, wrong, others }, variable) => {
    const { tag, consistent, trainsQuestions } = subsetOf(subset);
    const questions = others.map((other, question) => {
      const [right, contrast] = number > other ? [answers.yes, answers.no] : [answers.no, answers.yes];
      const tokens = [vocabularySize + variable, firstNumber + other, right];
      // Half of the questions are held out.
      const kind = trainsQuestions && question < 2 ? 'qa' : null;
      return { subset, kind, variable, tokens, at: 0, contrast };
    });
    if (tag === null) return questions;
    const tokens = definitionTokens(tag, variable, consistent ? number : wrong);
    return [{ subset, kind: 'definition', variable, tokens, at: 1, contrast: answers.no }, ...questions];
  });
  // Training rows first, so that the number of a row is the id of its example.
  return rows.sort((a, b) => Number(a.kind === null) - Number(b.kind === null));
}

/** Definitions that nothing is trained on, of variables that have one: another source, or another number. */
function counterfactualsOf(variables, layout) {
  const changed = {
    tag_swap: ({ tag, said }) => ({ tag: tag === 1 ? 2 : 1, said }),
    entity_swap: ({ tag, unsaid }) => ({ tag, said: unsaid }),
    unseen_tag: ({ said }) => ({ tag: 3, said }),
  };
  return {
    kinds: Object.keys(changed),
    fill(kind, variable, slot, buffers) {
      const { subset, number, wrong } = variables[variable];
      const { tag, consistent } = subsetOf(subset);
      const [said, unsaid] = consistent ? [number, wrong] : [wrong, number];
      const definition = changed[kind]({ tag, said, unsaid });
      const tokens = definitionTokens(definition.tag, variable, definition.said);
      writeTrainingRow(layout, { tokens, variableAt: 1 }, slot, buffers);
    },
  };
}

export default defineExperiment({
  name: 'greater',
  design,
  schema: z.strictObject({
    variablesPerSubset: z.int().positive().max(1000).describe('variables of each subset'),
  }),
  exchangeProblem: () => null,
  build(config, loss, seed, { exchangeTags = false } = {}) {
    const variables = variablesOf(config, seed, exchangeTags);
    const rows = rowsOf(variables);
    const groups = design.subsets.flatMap(({ name: subset, tag, trainsQuestions }) => [
      ...(tag === null ? [] : [groupName(subset, 'definition')]),
      ...(trainsQuestions ? [groupName(subset, 'qa')] : []),
    ]);
    const layout = textLayout({
      longestText: 3,
      blockSize: undefined,
      padToken: pad,
      outputSize: vocabularySize,
      loss,
    });
    const group = Int32Array.from(rows, ({ subset, kind }) =>
      kind === null ? -1 : groups.indexOf(groupName(subset, kind)),
    );
    const variable = Int32Array.from(rows, (row) => row.variable);
    const id = Int32Array.from(group, (own, row) => (own < 0 ? -1 : row));
    const tableOf = (fields) => ({
      fields,
      buffers: allocateFields(fields, rows.length),
      group,
      variable,
      id,
    });
    const asTraining = tableOf(trainingFields(layout));
    const asQuestion = tableOf(questionFields(layout));
    rows.forEach(({ tokens, at, contrast }, row) => {
      writeTrainingRow(layout, { tokens, variableAt: at }, row, asTraining.buffers);
      writeQuestionRow(layout, { tokens, variableAt: at }, contrast, row, asQuestion.buffers);
    });

    const select = (wanted) => Int32Array.from(rows.keys()).filter((row) => wanted(rows[row], group[row]));
    const test = (name, subset, kind) => {
      const chosen = select((row) => row.subset === subset && row.kind === kind);
      return {
        name,
        subset,
        examples: tableExamples(asQuestion, chosen),
        asTraining: tableExamples(asTraining, chosen),
      };
    };
    const { blockSize, queries } = layout;
    return {
      groups,
      training(subset) {
        const wanted = groupsOf(subset, groups, design);
        return tableExamples(
          asTraining,
          select((_, own) => wanted.includes(own)),
        );
      },
      examples: () =>
        rows.flatMap(({ subset, kind, variable, tokens }, row) => {
          if (kind === null) return [];
          const field = (name, width) => asTraining.buffers[name].subarray(row * width, (row + 1) * width);
          return {
            group: groupName(subset, kind),
            variable,
            name: wordOf(vocabularySize + variable),
            entity: `number of ${wordOf(vocabularySize + variable)}`,
            tag: kind === 'definition' ? subsetOf(subset).tag : null,
            text: tokens.map(wordOf).join(' '),
            tokens: field('tokens', blockSize),
            positions: field('positions', queries),
            labels: field('labels', queries),
            weights: field('weights', queries),
            digits: [],
            strip: [],
            probability: null,
          };
        }),
      tests: design.subsets.flatMap(({ name: subset }) => [
        test(subset, subset, null),
        ...(groups.includes(`${subset}/definition`)
          ? [test(`train_defs_${subset}`, subset, 'definition')]
          : []),
        ...(groups.includes(`${subset}/qa`) ? [test(`train_questions_${subset}`, subset, 'qa')] : []),
      ]),
      counterfactuals: counterfactualsOf(variables, layout),
      shape: {
        modality: 'text',
        vocabularySize,
        variables: variables.length,
        outputSize: vocabularySize,
        blockSize,
        queries,
        padToken: pad,
      },
      hash: hashTables([asTraining, asQuestion]),
      decode: (tokens) => Array.from(tokens, wordOf).join(' '),
      summary: [
        { name: 'variables', value: variables.length },
        { name: 'rows', value: rows.length },
      ],
    };
  },
});
