import * as tf from '@tensorflow/tfjs-core';
import { allocateFields } from '../../data/fields.js';
import { forward } from '../train/backward.js';
import { batchTensors } from '../train/batch.js';
import { compile } from '../train/engine/compiled.js';
import { gradientFunction } from '../train/gradient-function.js';
import { trainingFields, type Model, type ModelInputs } from '../train/models/model.js';
import { unpack, type Block } from '../train/parameters/layout.js';
import type { Panel } from './panel/panel.js';

/** Entities updated at once, as replicas. */
const together = 16;

/** What one update with a definition's gradient does to the questions of its entity. */
export interface TransferEffect {
  /** Number of the definition in the panel. */
  readonly definition: number;
  /** Number of the question set in the panel. */
  readonly set: number;
  readonly stepSize: number;
  /** Mean loss of the questions before the update, nats. */
  readonly loss: number;
  /** Its change, nats. */
  readonly actual: number;
}

/** Measures transfer at a checkpoint. */
export interface TransferMeter {
  /**
   * Takes, for each pair of a definition and a question set, one plain gradient step `theta - epsilon grad C_d` from the
   * same checkpoint and measures the mean loss of the questions before and after.
   *
   * @param values blocks of parameters, `[1, size]`
   */
  (
    values: readonly tf.Tensor[],
    panel: Panel,
    pairs: readonly { readonly definition: number; readonly set: number }[],
    stepSizes: readonly number[],
  ): TransferEffect[];
  dispose(): void;
}

export function createTransferMeter(model: Model, blocks: readonly Block[]): TransferMeter {
  const gradient = gradientFunction(model, blocks, 'example');
  const names = trainingFields(model);
  const losses = compile('losses', (tensors) => {
    const inputs = Object.fromEntries(names.map((name, i) => [name, tensors[blocks.length + i]!]));
    return [forward(model, unpack(blocks, tensors.slice(0, blocks.length)), inputs).losses];
  });
  const meanLosses = (values: readonly tf.Tensor[], inputs: ModelInputs): number[] => {
    const [result] = losses([...values, ...names.map((name) => inputs[name]!)]);
    const [replicas, examples] = result!.shape as [number, number];
    const all = result!.dataSync<'float32'>();
    result!.dispose();
    return Array.from({ length: replicas }, (_, replica) => {
      let sum = 0;
      for (let i = 0; i < examples; i++) sum += all[replica * examples + i]!;
      return sum / examples;
    });
  };
  const measure = (...[values, panel, pairs, stepSizes]: Parameters<TransferMeter>): TransferEffect[] => {
    const effects: TransferEffect[] = [];
    for (let first = 0; first < pairs.length; first += together) {
      const own = pairs.slice(first, first + together);
      // A short round is filled up with its first pair: another number of replicas would be another graph.
      const filled = Array.from({ length: together }, (_, i) => own[i] ?? own[0]!);
      const definitions = examplesOf(
        panel,
        names,
        filled.map(({ definition }) => [definition, definition + 1]),
      );
      const questions = examplesOf(
        panel,
        names,
        filled.map(({ set }) => {
          const from = panel.definitions + set * panel.questionsPerSet;
          return [from, from + panel.questionsPerSet];
        }),
      );
      const tiled = values.map((value) => tf.tile(value, [together, 1]));
      const step = gradient(tiled, definitions, 1);
      const before = meanLosses(tiled, questions);
      for (const stepSize of stepSizes) {
        const moved = tiled.map((value, i) =>
          tf.tidy(() => tf.sub(value, tf.mul(step.blocks[i]!, stepSize))),
        );
        const after = meanLosses(moved, questions);
        own.forEach((pair, i) => {
          effects.push({ ...pair, stepSize, loss: before[i]!, actual: after[i]! - before[i]! });
        });
        tf.dispose(moved);
      }
      step.dispose();
      tf.dispose([definitions, questions, tiled]);
    }
    return effects;
  };
  return Object.assign(measure, {
    dispose: () => {
      gradient.dispose();
      losses.dispose();
    },
  });
}

/** Examples of a panel as inputs of replicas, `[range, example, ...]`. */
function examplesOf(
  panel: Panel,
  names: readonly string[],
  ranges: readonly (readonly [number, number])[],
): ModelInputs {
  const examples = ranges[0]![1] - ranges[0]![0];
  const buffers = allocateFields(panel.fields, ranges.length * examples);
  ranges.forEach(([from, to], replica) => panel.fill(from, to, buffers, replica * examples));
  return batchTensors({ replicas: ranges.length, examples, fields: panel.fields, buffers }, names);
}
