import * as tf from '@tensorflow/tfjs-core';
import type { ExampleSet } from '../../data/experiment.js';
import type { RandomStream } from '../../data/random/streams.js';
import { batchTensors, gatherExamples } from '../train/batch.js';
import { gradientFunction } from '../train/gradient-function.js';
import { trainingFields, type Model } from '../train/models/model.js';
import type { Block } from '../train/parameters/layout.js';
import { addTo } from './host-vectors.js';

/** Squared norms of minibatch gradients of one size. */
export interface MinibatchNorms {
  readonly batchSize: number;
  readonly minibatches: number;
  /** Mean squared norm. */
  readonly norm2: number;
}

/** How minibatches are drawn: a random partition of the training set, or independently. */
export type DrawKind = 'shuffle' | 'withReplacement';

/** Examples of the smallest minibatch; all others are made of such. */
const smallestBatch = 8;

/** Smallest minibatches computed at once, as replicas with equal parameters. */
const together = 16;

/** Measures gradients of minibatches of a model at a checkpoint. */
export interface MinibatchMeter {
  /**
   * Mean squared norms of the gradients of real minibatches of 8, 16, 32, ... examples and of the full batch. Those of
   * one draw are nested: a minibatch of 16 is two of 8. Incomplete minibatches do not count.
   *
   * @param values blocks of parameters, `[1, size]`
   */
  (values: readonly tf.Tensor[], set: ExampleSet, kind: DrawKind, random: RandomStream): MinibatchNorms[];
  dispose(): void;
}

/** Gradients are those of the mean loss over examples, without the noise that training adds. */
export function createMinibatchMeter(model: Model, blocks: readonly Block[]): MinibatchMeter {
  const gradient = gradientFunction(model, blocks, 'example');
  const names = trainingFields(model);
  const size = blocks.reduce((sum, block) => sum + block.size, 0);

  /** Sums of example gradients of consecutive runs of `count` rows each, `[run][size]`. */
  const sums = (
    values: readonly tf.Tensor[],
    set: ExampleSet,
    runs: readonly Int32Array[],
    random: RandomStream,
  ): Float64Array[] => {
    const count = runs[0]!.length;
    const host = gatherExamples(
      Array.from(runs, () => set),
      runs,
      () => random,
    );
    const inputs = batchTensors(host, names);
    const tiled = values.map((value) => tf.tile(value, [runs.length, 1]));
    const result = gradient(tiled, inputs, 1);
    const parts = result.blocks.map((block) => block.dataSync<'float32'>());
    const own = runs.map((_, run) => {
      const whole = new Float64Array(size);
      let offset = 0;
      blocks.forEach((block, i) => {
        const part = parts[i]!.subarray(run * block.size, (run + 1) * block.size);
        for (let p = 0; p < block.size; p++) whole[offset + p] = part[p]! * count;
        offset += block.size;
      });
      return whole;
    });
    result.dispose();
    tf.dispose([inputs, tiled]);
    return own;
  };

  const measure = (
    values: readonly tf.Tensor[],
    set: ExampleSet,
    kind: DrawKind,
    random: RandomStream,
  ): MinibatchNorms[] => {
    const rows =
      kind === 'shuffle'
        ? random.permutation(set.size)
        : Int32Array.from({ length: set.size }, () => random.integer(set.size));
    const tower = new DoublingTower(size, set.size);
    const whole = Math.floor(set.size / smallestBatch);
    for (let first = 0; first < whole; first += together) {
      // The last round is filled up with its last run: another number of replicas would be another graph.
      const runs = Array.from({ length: together }, (_, i) => {
        const run = Math.min(first + i, whole - 1);
        return rows.subarray(run * smallestBatch, (run + 1) * smallestBatch);
      });
      for (const sum of sums(values, set, runs, random).slice(0, whole - first)) tower.add(sum);
    }
    const rest = rows.subarray(whole * smallestBatch);
    if (rest.length > 0) tower.addRest(sums(values, set, [rest], random)[0]!);
    return tower.norms();
  };
  return Object.assign(measure, { dispose: () => gradient.dispose() });
}

/** Adds up sums of 8 examples to sums of 16, 32, ... as a binary counter carries, and to that of all. */
class DoublingTower {
  private readonly waiting: (Float64Array | null)[] = [];
  private readonly levels: { norm2: number; count: number }[] = [];
  private readonly total: Float64Array;

  constructor(
    size: number,
    private readonly examples: number,
  ) {
    this.total = new Float64Array(size);
  }

  add(sum: Float64Array): void {
    addTo(this.total, sum);
    let carried = sum;
    for (let level = 0; ; level++) {
      const own = (this.levels[level] ??= { norm2: 0, count: 0 });
      own.norm2 += norm2Of(carried, smallestBatch * 2 ** level);
      own.count++;
      const other = this.waiting[level] ?? null;
      if (other === null) {
        this.waiting[level] = carried;
        return;
      }
      this.waiting[level] = null;
      addTo(other, carried);
      carried = other;
    }
  }

  addRest(sum: Float64Array): void {
    addTo(this.total, sum);
  }

  norms(): MinibatchNorms[] {
    const sizes = this.levels.map(({ norm2, count }, level) => ({
      batchSize: smallestBatch * 2 ** level,
      minibatches: count,
      norm2: norm2 / count,
    }));
    const full = { batchSize: this.examples, minibatches: 1, norm2: norm2Of(this.total, this.examples) };
    return [...sizes.filter(({ batchSize }) => batchSize < this.examples), full];
  }
}

function norm2Of(sum: Float64Array, examples: number): number {
  let total = 0;
  for (const value of sum) total += value * value;
  return total / examples ** 2;
}
