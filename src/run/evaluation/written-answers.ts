import type * as tf from '@tensorflow/tfjs-core';
import { UserError } from '../../../data/errors.js';
import type { ExampleSet, ExperimentData, TestSet } from '../../../data/experiment.js';
import { allocateFields, float32Field, int32Field } from '../../../data/fields.js';
import type { RandomStream } from '../../../data/random/streams.js';
import { createGenerator, type Generator } from '../../train/generate.js';
import type { Model } from '../../train/models/model.js';
import type { ParameterBlock } from '../../train/parameters/layout.js';
import { scoreAnswer, type AnswerScores } from './answer-scores.js';

/** Lets models write answers to test questions. */
export interface AnswerWriter {
  /**
   * @param values blocks of parameters `[replica, size]`
   * @param sets one test set for each replica, whose right answers are known
   * @param rows `[replica][example]`, the same number for each
   * @param random what the examples of a replica draw from
   * @returns scores of the answers, `[replica][example]`
   */
  write(
    values: readonly tf.Tensor[],
    sets: readonly TestSet[],
    rows: readonly Int32Array[],
    random: (replica: number) => RandomStream,
  ): AnswerScores[][];
  dispose(): void;
}

/** How answers are written and held against the right ones. */
export interface WritingOptions {
  /** Examples of one replica that are written at once. */
  readonly batchSize: number;
  readonly maxNewTokens: number;
  /** Which of several right answers count. */
  readonly gold: 'any' | 'first';
}

/**
 * @param data for the size of texts and for their words
 * @throws UserError for a model or data that have no texts
 */
export function createAnswerWriter(
  model: Model,
  blocks: readonly ParameterBlock[],
  { batchSize, maxNewTokens, gold }: WritingOptions,
  data: readonly Pick<ExperimentData, 'shape' | 'decode'>[],
): AnswerWriter {
  const { shape } = data[0]!;
  if (shape.modality !== 'text' || data.some(({ decode }) => decode === undefined)) {
    throw new UserError(
      'evaluation.generation: the data are no texts, which a model could write; set it to null',
    );
  }
  const generator: Generator = createGenerator(model, blocks);
  const promptOf = shape.inputLength === undefined ? causalPrompt : sourceText;
  const options = {
    maxNewTokens,
    stopToken: shape.padToken,
    // The same for all minibatches, whatever their prompts and whichever replicas they are of.
    promptRows: shape.inputLength ?? shape.blockSize,
  };
  return {
    write: (values, sets, rows, random) => {
      const scores = sets.map((): AnswerScores[] => []);
      for (let first = 0; first < rows[0]!.length; first += batchSize) {
        const part = rows.map((own) => own.subarray(first, first + batchSize));
        const prompts = part.map((own, replica) =>
          Array.from(own, (row) =>
            promptOf(sets[replica]!.examples, row, shape.padToken, () => random(replica)),
          ),
        );
        generator.generate(values, prompts, options).forEach((texts, replica) => {
          texts.forEach((tokens, i) => {
            const right = sets[replica]!.rightAnswers![part[replica]![i]!]!;
            // What comes after the line of the answer is another question.
            const [line = ''] = data[replica]!.decode!(tokens).trimStart().split('\n', 1);
            scores[replica]!.push(scoreAnswer(line, gold === 'any' ? right : right.slice(0, 1)));
          });
        });
      }
      return scores;
    },
    dispose: () => generator.dispose(),
  };
}

type PromptOf = (set: ExampleSet, row: number, padToken: number, random: () => RandomStream) => number[];

/** A row up to the position that is asked first. */
const causalPrompt: PromptOf = (set, row, _, random) => {
  const buffers = allocateFields(set.fields, 1);
  set.fill([row], 0, buffers, random);
  const asked = float32Field(buffers, 'weights').findIndex((weight) => weight > 0);
  return Array.from(int32Field(buffers, 'tokens').subarray(0, int32Field(buffers, 'positions')[asked]! + 1));
};

/** A source text without its padding. */
const sourceText: PromptOf = (set, row, padToken, random) => {
  const buffers = allocateFields(set.fields, 1);
  set.fill([row], 0, buffers, random);
  const tokens = Array.from(int32Field(buffers, 'tokens'));
  // A text may end with the token that fills it up, where a tokenizer has no other.
  const length = tokens.findLastIndex((token) => token !== padToken) + 1;
  return tokens.slice(0, Math.min(tokens.length, Math.max(1, length)));
};
