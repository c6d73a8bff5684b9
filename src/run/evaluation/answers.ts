import * as tf from '@tensorflow/tfjs-core';
import type { ExampleSet, TestSet } from '../../../data/experiment.js';
import type { RandomStream } from '../../../data/random/streams.js';
import { batchTensors, gatherExamples, type HostBatch } from '../../train/batch.js';
import { compile, type CompiledFunction } from '../../train/engine/compiled.js';
import { forward } from '../../train/backward.js';
import { joinLanes, planLanes, splitLanes } from '../../train/lanes.js';
import type { Model } from '../../train/models/model.js';
import { unpack, type ParameterBlock } from '../../train/parameters/layout.js';

/** What a model answers to one test example. */
export interface Answers {
  /** `[example]` 1 where the most likely answer is the gold one at every query, else 0. */
  readonly correct: Float32Array;
  /**
   * `[example]` log-odds of the gold answer against its contrast, summed over queries, in nats; 0 for an example that has
   * none. Null where the set has none.
   */
  readonly margin: Float32Array | null;
  /** `[example]` weighted cross-entropy of the gold answers, in nats. */
  readonly loss: Float32Array;
}

/** What is asked of a test set. */
export type AskedSet = Pick<TestSet, 'examples' | 'contrasts' | 'alternatives'>;

/** Asks models test questions. */
export interface Evaluator {
  /**
   * @param values blocks of parameters `[replica, size]`
   * @param sets one test set for each replica, of equal fields
   * @param rows `[replica][example]` rows to ask, the same number for each
   * @param random what the examples of a replica draw from
   * @returns answers of each replica
   */
  ask(
    values: readonly tf.Tensor[],
    sets: readonly AskedSet[],
    rows: readonly Int32Array[],
    random: (replica: number) => RandomStream,
  ): Answers[];
  dispose(): void;
}

/**
 * @param batchSize examples of one replica asked at once
 * @param gold which of several right answers count; the loss and the margin are of the first in either case
 */
export function createEvaluator(
  model: Model,
  blocks: readonly ParameterBlock[],
  batchSize: number,
  gold: 'any' | 'first' = 'any',
): Evaluator {
  const inputNames = [...new Set([...model.testInputs, 'labels', 'weights'])];
  const compiled = new Map<boolean, CompiledFunction>();
  /** Losses, correct answers and, where the rows have the field `contrast`, margins. */
  const functionOf = (hasContrast: boolean): { run: CompiledFunction; names: readonly string[] } => {
    const names = hasContrast ? [...inputNames, 'contrast'] : inputNames;
    const computeLane = (tensors: readonly tf.Tensor[]): tf.Tensor[] => {
      const inputs = Object.fromEntries(names.map((name, i) => [name, tensors[blocks.length + i]!]));
      const { losses, logits } = forward(model, unpack(blocks, tensors.slice(0, blocks.length)), inputs);
      const [labels, weights] = [inputs['labels'], inputs['weights']] as tf.Tensor3D[];
      const contrast = (inputs['contrast'] ?? null) as tf.Tensor3D | null;
      return [losses, ...answersOf(logits, labels!, contrast, weights!)];
    };
    const run =
      compiled.get(hasContrast) ??
      compile(hasContrast ? 'evaluation' : 'evaluation/sequences', (tensors) => {
        const lanes = planLanes(tensors[0]!.shape[0]);
        const split = tensors.map((tensor) => splitLanes(tensor, lanes));
        const results = lanes.map((_, lane) => computeLane(split.map((parts) => parts[lane]!)));
        return results[0]!.map((_, i) => joinLanes(results.map((result) => result[i]!)));
      });
    compiled.set(hasContrast, run);
    return { run, names };
  };
  const ask = (
    values: readonly tf.Tensor[],
    sets: readonly ExampleSet[],
    rows: readonly Int32Array[],
    random: (replica: number) => RandomStream,
  ): Answers[] => {
    const hasContrast = 'contrast' in sets[0]!.fields;
    const { run, names } = functionOf(hasContrast);
    const count = rows[0]!.length;
    const answers = sets.map(() => ({
      correct: new Float32Array(count),
      margin: hasContrast ? new Float32Array(count) : null,
      loss: new Float32Array(count),
    }));
    for (let first = 0; first < count; first += batchSize) {
      const part = rows.map((own) => padded(own.subarray(first, first + batchSize), batchSize));
      askBatch(run, values, gatherExamples(sets, part, random), names, (replica, field, own) => {
        answers[replica]![field]!.set(own.subarray(0, count - first), first);
      });
    }
    return answers;
  };
  return {
    ask: (values, sets, rows, random) => {
      const answers = ask(
        values,
        sets.map(({ examples }) => examples),
        rows,
        random,
      );
      if (gold === 'any') {
        const others = alternativesOf(sets, rows);
        const given = others === null ? [] : ask(values, others.sets, others.rows, random);
        given.forEach(({ correct }, replica) => {
          others!.of[replica]!.forEach((place, i) => {
            if (correct[i] === 1) answers[replica]!.correct[place] = 1;
          });
        });
      }
      const contrasts = sets.flatMap((set) => set.contrasts ?? []);
      if (contrasts.length < sets.length) return answers;
      // log p(gold) - log p(contrast): both rows have weights of 1, a row without a contrast weights of 0.
      const wrong = ask(values, contrasts, rows, random);
      return answers.map((own, replica) => ({
        ...own,
        margin: own.loss.map((loss, i) => {
          const against = wrong[replica]!.loss[i]!;
          return against === 0 ? 0 : against - loss;
        }),
      }));
    },
    dispose: () => {
      for (const run of compiled.values()) run.dispose();
    },
  };
}

/**
 * The rows with other right answers to the rows asked, as many for each replica, and the place of each among those asked. Null
 * where there are none.
 */
function alternativesOf(
  sets: readonly AskedSet[],
  rows: readonly Int32Array[],
): {
  readonly sets: readonly ExampleSet[];
  readonly rows: readonly Int32Array[];
  readonly of: readonly number[][];
} | null {
  const own = sets.map(({ alternatives }, replica) => {
    const placeOf = new Map(Array.from(rows[replica]!, (row, place) => [row, place]));
    return Array.from(alternatives?.of ?? [], (row, i) => ({ row: i, place: placeOf.get(row) })).filter(
      (one): one is { row: number; place: number } => one.place !== undefined,
    );
  });
  const most = Math.max(...own.map(({ length }) => length));
  if (most === 0) return null;
  const some = sets.find(({ alternatives }) => alternatives !== undefined)!.alternatives!.examples;
  return {
    sets: sets.map(({ alternatives }) => alternatives?.examples ?? some),
    rows: own.map((rowsOfOne) =>
      padded(
        Int32Array.from(rowsOfOne, ({ row }) => row),
        most,
      ),
    ),
    of: own.map((rowsOfOne) => rowsOfOne.map(({ place }) => place)),
  };
}

/** Rows repeated up to a full batch, whose answers are dropped: every batch size would be another graph to build. */
function padded(rows: Int32Array, size: number): Int32Array {
  if (rows.length === size) return rows;
  const full = new Int32Array(size).fill(rows.at(-1) ?? 0);
  full.set(rows);
  return full;
}

const outputs = ['loss', 'correct', 'margin'] as const;

function askBatch(
  run: CompiledFunction,
  values: readonly tf.Tensor[],
  batch: HostBatch,
  names: readonly string[],
  store: (replica: number, field: (typeof outputs)[number], own: Float32Array) => void,
): void {
  const inputs = batchTensors(batch, names);
  const results = run([...values, ...Object.values(inputs)]);
  results.forEach((result, i) => {
    const field = outputs[i]!;
    const all = result.dataSync<'float32'>();
    for (let replica = 0; replica < batch.replicas; replica++) {
      store(replica, field, all.subarray(replica * batch.examples, (replica + 1) * batch.examples));
    }
  });
  tf.dispose([inputs, results]);
}

/** `correct` and, with contrasts, `margin`, each `[replica, example]`; queries of weight 0 are not asked. */
function answersOf(
  logits: tf.Tensor3D,
  labels: tf.Tensor3D,
  contrast: tf.Tensor3D | null,
  weights: tf.Tensor3D,
): tf.Tensor2D[] {
  const answers = logits.shape[2];
  const shaped = tf.reshape(logits, [...labels.shape, answers]);
  const asked = tf.cast(tf.greater(weights, 0), 'float32');
  const right = tf.cast(tf.equal(tf.argMax(shaped, 3), labels), 'float32');
  const wrong = tf.mul(tf.sub(1, right), asked);
  const correct = tf.sub(1, tf.minimum(tf.sum(wrong, 2), 1)) as tf.Tensor2D;
  if (contrast === null) return [correct];
  const of = (answer: tf.Tensor3D): tf.Tensor =>
    tf.sum(
      tf.mul(
        shaped,
        tf.cast(tf.reshape(tf.oneHot(tf.reshape(answer, [-1]), answers), shaped.shape), 'float32'),
      ),
      3,
    );
  const odds = tf.sub(of(labels), of(contrast));
  return [correct, tf.sum(tf.mul(odds, asked), 2) as tf.Tensor2D];
}
