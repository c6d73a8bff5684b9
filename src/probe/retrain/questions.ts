import { allocateFields } from '../../../data/fields.js';
import type { ExampleSet, ExperimentData } from '../../../data/experiment.js';
import { fixedSights } from '../../../data/fixed-sights.js';
import type * as tf from '@tensorflow/tfjs-core';
import type { Evaluator } from '../../run/evaluation/answers.js';
import type { RunPlan } from '../../run/plan.js';
import { batchTensors } from '../../train/batch.js';
import type { ModelInputs } from '../../train/models/model.js';
import type { AskedVariable, RetrainPopulation } from './population.js';

/** What a model answers to the questions of a population, variable after variable: `[variable * question]` each. */
export interface QuestionOutcome {
  /** Cross-entropy of the right answer, nats. */
  readonly loss: Float32Array;
  /** Log-odds of the right answer against its contrast, nats. */
  readonly margin: Float32Array;
  /** 1 where the right answer is the likeliest, else 0. */
  readonly correct: Float32Array;
}

export const outcomeFields = ['loss', 'margin', 'correct'] as const;

/** A test set whose questions look the same whenever and in whatever batch they are asked. */
const fixedTest = (data: ExperimentData, set: number, seed: number): ExampleSet =>
  fixedSights(data.tests[set]!.examples, seed, 'retrain/questions');

/** Asks R models the questions of a population. */
export interface Asker {
  /** @param values blocks of parameters, `[replica, size]` */
  (values: readonly tf.Tensor[], replicas: number): QuestionOutcome[];
}

/** @param evaluator of the model, with the blocks that values will have */
export function createAsker(
  { data, seeds }: RunPlan,
  { asked, questions }: RetrainPopulation,
  evaluator: Evaluator,
): Asker {
  const sets = Array.from(groupBySet(asked), ([set, members]) => ({
    set: { ...data[0]!.tests[set]!, examples: fixedTest(data[0]!, set, seeds[0]!) },
    members,
    rows: Int32Array.from(members.flatMap((i) => [...asked[i]!.rows])),
  }));
  const total = asked.length * questions;
  return (values, replicas) => {
    const outcomes = Array.from({ length: replicas }, (): QuestionOutcome => ({
      loss: new Float32Array(total),
      margin: new Float32Array(total),
      correct: new Float32Array(total),
    }));
    for (const { set, members, rows } of sets) {
      const each = <T>(value: T): T[] => new Array<T>(replicas).fill(value);
      const answers = evaluator.ask(values, each(set), each(rows), unused);
      answers.forEach((own, replica) => {
        members.forEach((variable, place) => {
          for (const field of outcomeFields) {
            const values = own[field];
            const target = outcomes[replica]![field].subarray(
              variable * questions,
              (variable + 1) * questions,
            );
            if (values === null) target.fill(NaN);
            else target.set(values.subarray(place * questions, (place + 1) * questions));
          }
        });
      });
    }
    return outcomes;
  };
}

/** The questions as inputs, `[variable, question, ...]`, just as they are asked: what predictions are gradients of. */
export function questionInputsOf(
  { model, data, seeds }: RunPlan,
  { asked, questions }: RetrainPopulation,
): ModelInputs {
  const { fields } = data[0]!.tests[asked[0]!.set]!.examples;
  const buffers = allocateFields(fields, asked.length * questions);
  for (const [set, members] of groupBySet(asked)) {
    const examples = fixedTest(data[0]!, set, seeds[0]!);
    for (const i of members) examples.fill(asked[i]!.rows, i * questions, buffers, unused);
  }
  const names = [...new Set([...model.testInputs, 'labels', 'weights'])];
  return batchTensors({ replicas: asked.length, examples: questions, fields, buffers }, names);
}

function unused(): never {
  throw new Error('questions look the same at every sight');
}

/** Numbers of the asked variables by their test set. */
function groupBySet(asked: readonly AskedVariable[]): Map<number, number[]> {
  const groups = new Map<number, number[]>();
  asked.forEach(({ set }, i) => groups.set(set, [...(groups.get(set) ?? []), i]));
  return groups;
}

/** `[variable]` means over the questions about each. */
export function meansByVariable(values: Float32Array, questions: number): Float64Array {
  return Float64Array.from({ length: values.length / questions }, (_, i) => {
    let sum = 0;
    for (let q = 0; q < questions; q++) sum += values[i * questions + q]!;
    return sum / questions;
  });
}
