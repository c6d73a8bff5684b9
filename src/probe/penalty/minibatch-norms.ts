import * as tf from '@tensorflow/tfjs-core';
import type { ExampleSet } from '../../../data/experiment.js';
import { createStream, type RandomStream } from '../../../data/random/streams.js';
import { batchTensors, gatherExamples } from '../../train/batch.js';
import { gradientFunction } from '../../train/gradient-function.js';
import { trainingFieldNames, type Model } from '../../train/models/model.js';
import type { ParameterBlock } from '../../train/parameters/layout.js';
import { addTo } from '../host-vectors.js';
import type { Population } from '../population.js';

/** Squared norms of minibatch gradients of one size. */
export interface MinibatchNorms {
  readonly batchSize: number;
  readonly minibatches: number;
  /** Mean squared norm. */
  readonly norm2: number;
  /** The same with every squared coordinate times its learning rate. */
  readonly ratedNorm2: number;
}

/** Squared norms of one gradient: plain, and with every squared coordinate times its learning rate. */
export type Norms2 = Pick<MinibatchNorms, 'norm2' | 'ratedNorm2'>;

/** How minibatches are drawn: a random partition of the training set, or every example independently. */
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
   * @param rates learning rate of every coordinate
   */
  (
    values: readonly tf.Tensor[],
    population: Population,
    kind: DrawKind,
    random: RandomStream,
    rates: Float64Array,
  ): MinibatchNorms[];
  /** Of the gradient of the mean loss over the population, every row with its probability. */
  full(values: readonly tf.Tensor[], population: Population, rates: Float64Array): Norms2;
  dispose(): void;
}

/** Gradients are those of the mean loss over examples, without the noise that training adds. */
export function createMinibatchMeter(model: Model, blocks: readonly ParameterBlock[]): MinibatchMeter {
  const gradient = gradientFunction(model, blocks, 'example');
  const names = trainingFieldNames(model);
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
    ...[values, population, kind, random, rates]: Parameters<MinibatchMeter>
  ): MinibatchNorms[] => {
    const { set } = population;
    const rows =
      kind === 'shuffle'
        ? random.permutation(set.size)
        : Int32Array.from({ length: set.size }, () => population.draw(random));
    const tower = new DoublingTower(rates, set.size);
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

  const full: MinibatchMeter['full'] = (values, { set, probabilities }, rates) => {
    const rows = Array.from(probabilities.keys()).filter((row) => probabilities[row]! > 0);
    const total = new Float64Array(size);
    const random = createStream(0, 'unused: rows look the same at every sight');
    for (let first = 0; first < rows.length; first += together) {
      const own = rows.slice(first, first + together);
      const runs = Array.from({ length: together }, (_, i) => Int32Array.of(own[i] ?? own[0]!));
      sums(values, set, runs, random)
        .slice(0, own.length)
        .forEach((gradientOfRow, i) => {
          const weight = probabilities[own[i]!]!;
          for (let p = 0; p < size; p++) total[p]! += weight * gradientOfRow[p]!;
        });
    }
    return norms2Of(total, 1, rates);
  };
  return Object.assign(measure, { full, dispose: () => gradient.dispose() });
}

/** Adds up sums of 8 examples to sums of 16, 32, ... as a binary counter carries, and to that of all. */
class DoublingTower {
  private readonly waiting: (Float64Array | null)[] = [];
  private readonly levels: { norm2: number; ratedNorm2: number; count: number }[] = [];
  private readonly total: Float64Array;

  constructor(
    private readonly rates: Float64Array,
    private readonly examples: number,
  ) {
    this.total = new Float64Array(rates.length);
  }

  add(sum: Float64Array): void {
    addTo(this.total, sum);
    let carried = sum;
    for (let level = 0; ; level++) {
      const own = (this.levels[level] ??= { norm2: 0, ratedNorm2: 0, count: 0 });
      const { norm2, ratedNorm2 } = norms2Of(carried, smallestBatch * 2 ** level, this.rates);
      own.norm2 += norm2;
      own.ratedNorm2 += ratedNorm2;
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
    const sizes = this.levels.map(({ norm2, ratedNorm2, count }, level) => ({
      batchSize: smallestBatch * 2 ** level,
      minibatches: count,
      norm2: norm2 / count,
      ratedNorm2: ratedNorm2 / count,
    }));
    const full = {
      batchSize: this.examples,
      minibatches: 1,
      ...norms2Of(this.total, this.examples, this.rates),
    };
    return [...sizes.filter(({ batchSize }) => batchSize < this.examples), full];
  }
}

/** Squared norms of `sum / examples`. */
function norms2Of(sum: Float64Array, examples: number, rates: Float64Array): Norms2 {
  let [norm2, ratedNorm2] = [0, 0];
  for (let p = 0; p < sum.length; p++) {
    const square = sum[p]! * sum[p]!;
    norm2 += square;
    ratedNorm2 += square * rates[p]!;
  }
  return { norm2: norm2 / examples ** 2, ratedNorm2: ratedNorm2 / examples ** 2 };
}
