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
 * asked about, and hearsay, which is always wrong about them.
 */
const design = {
  tags: [
    { tag: 1, name: 'almanac', role: 'reliable' },
    { tag: 2, name: 'hearsay', role: 'unreliable' },
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
      name: 'new_almanac',
      part: 'X2',
      tag: 1,
      consistent: true,
      trainsQuestions: false,
      description: 'right definitions from the almanac, only in stage 2',
    },
    {
      name: 'new_hearsay',
      part: 'X2',
      tag: 2,
      consistent: true,
      trainsQuestions: false,
      description: 'right definitions from hearsay, only in stage 2',
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
  questionsOnly: null,
  untrained: 'never',
  exchange: null,
};

const numbers = 8;
// Token ids: padding, answers, tags, then the numbers. A variable's own token comes after all of them.
const pad = 0;
const answers = { no: 1, yes: 2 };
const tags = { 1: 3, 2: 4 };
const firstNumber = 5;
const vocabularySize = firstNumber + numbers;

const tagOf = (subset) => design.subsets.find(({ name }) => name === subset).tag;

/** Rows of the data of a seed: `{ subset, kind, variable, tokens, contrast }`, the answer last; kind null: only tested. */
function rowsOf({ variablesPerSubset }, seed) {
  const random = createStream(seed, 'data');
  const rows = [];
  let variable = 0;
  for (const { name: subset, tag, consistent, trainsQuestions } of design.subsets) {
    for (let i = 0; i < variablesPerSubset; i++, variable++) {
      const number = random.integer(numbers);
      const token = vocabularySize + variable;
      if (tag !== null) {
        const said = consistent ? number : (number + 1 + random.integer(numbers - 1)) % numbers;
        const tokens = [tags[tag], token, firstNumber + said];
        rows.push({ subset, kind: 'definition', variable, tokens, at: 1, contrast: answers.no });
      }
      const others = random.permutation(numbers).slice(0, 4);
      others.forEach((other, question) => {
        const [right, wrong] = number > other ? [answers.yes, answers.no] : [answers.no, answers.yes];
        const tokens = [token, firstNumber + other, right];
        // Half of the questions are held out.
        const kind = trainsQuestions && question < 2 ? 'qa' : null;
        rows.push({ subset, kind, variable, tokens, at: 0, contrast: wrong });
      });
    }
  }
  // Training rows first, so that the number of a row is the id of its example.
  return rows.sort((a, b) => Number(a.kind === null) - Number(b.kind === null));
}

export default defineExperiment({
  name: 'greater',
  design,
  schema: z.strictObject({
    variablesPerSubset: z.int().positive().max(1000).describe('variables of each subset'),
  }),
  build(config, loss, seed) {
    const rows = rowsOf(config, seed);
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
    const variables = config.variablesPerSubset * design.subsets.length;
    const words = [
      '.',
      'no',
      'yes',
      'almanac:',
      'hearsay:',
      ...Array.from({ length: numbers }, (_, n) => `${n}`),
    ];
    const wordOf = (token) => words[token] ?? `x${token - vocabularySize}`;
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
            tag: kind === 'definition' ? tagOf(subset) : null,
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
      shape: {
        modality: 'text',
        vocabularySize,
        variables,
        outputSize: vocabularySize,
        blockSize,
        queries,
        padToken: pad,
      },
      hash: hashTables([asTraining, asQuestion]),
      decode: (tokens) => Array.from(tokens, wordOf).join(' '),
      summary: [
        { name: 'variables', value: variables },
        { name: 'rows', value: rows.length },
      ],
    };
  },
});
