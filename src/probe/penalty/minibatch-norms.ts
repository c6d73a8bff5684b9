import * as tf from '@tensorflow/tfjs-core';
import type { ExampleSet } from '../../../data/experiment.js';
import { createStream, type RandomStream } from '../../../data/random/streams.js';
import { batchTensors, gatherExamples } from '../../train/batch.js';
import { compile } from '../../train/engine/compiled.js';
import {
  parameterCount,
  trainingFieldNames,
  type Model,
  type ModelInputs,
} from '../../train/models/model.js';
import { gradientsOfSets, setGradientFunction } from '../../train/set-gradients.js';
import { pack, type ParameterBlock } from '../../train/parameters/layout.js';
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

/** Beyond this many the ops of even the smallest recipe fill a core: more are not faster. */
const mostTogether = 128;

/** Numbers that they may take, of gradients and of activations: 256 MB of float32. */
const mostNumbers = 1 << 26;

/** Smallest minibatches whose gradients come to the host one by one, where there are too few to be added up before. */
const fewTogether = 16;

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

/**
 * Gradients are those of the mean loss over examples, without the noise that training adds.
 *
 * @param most smallest minibatches computed and added up at once at most
 */
export function createMinibatchMeter(
  model: Model,
  blocks: readonly ParameterBlock[],
  most = mostTogether,
): MinibatchMeter {
  const gradient = setGradientFunction(model, blocks);
  const names = trainingFieldNames(model);
  const size = blocks.reduce((sum, block) => sum + block.size, 0);
  const together = powerOfTwoBelow(
    Math.min(
      most,
      mostNumbers / parameterCount(model),
      mostNumbers / (smallestBatch * model.activationsPerExample),
    ),
  );
  const few = Math.min(fewTogether, together);

  const inputsOf = (set: ExampleSet, runs: readonly Int32Array[], random: RandomStream): ModelInputs =>
    batchTensors(
      gatherExamples(
        Array.from(runs, () => set),
        runs,
        () => random,
      ),
      names,
    );

  /** Sums of example gradients of consecutive runs of `count` rows each, `[run][size]`. */
  const sums = (
    values: readonly tf.Tensor[],
    set: ExampleSet,
    runs: readonly Int32Array[],
    random: RandomStream,
  ): Float64Array[] => {
    const count = runs[0]!.length;
    const inputs = inputsOf(set, runs, random);
    const result = gradient(values, inputs);
    const parts = result.blocks.map((block) => block.dataSync<'float32'>());
    const own = runs.map((_, run) => joinBlocks(blocks, parts, run, count));
    result.dispose();
    tf.dispose(inputs);
    return own;
  };

  /**
   * Squared norms of the gradients of `together` smallest minibatches and of pairs of them, pairs of pairs, ...: a tensor
   * `[parameter, minibatch]` for each size but that of all, then the blocks `[1, size]` of the gradient of all.
   */
  const tree = compile('norms of nested minibatches', (tensors) => {
    const inputs = Object.fromEntries(names.map((name, i) => [name, tensors[blocks.length + i]!]));
    const { gradients } = gradientsOfSets(model, blocks, tensors.slice(0, blocks.length), inputs);
    let level = model.parameters.map(({ name }) => tf.reshape(gradients.get(name)!, [together, -1]));
    const norms: tf.Tensor[] = [];
    for (let left = together; left > 1; left /= 2) {
      norms.push(tf.stack(level.map((own) => tf.sum(tf.square(own), 1))));
      level = level.map((own) => tf.mean(tf.reshape(own, [left / 2, 2, own.shape[1]!]), 1));
    }
    return [...norms, ...pack(blocks, new Map(model.parameters.map(({ name }, i) => [name, level[i]!])))];
  });

  const addTree = (
    tower: DoublingTower,
    values: readonly tf.Tensor[],
    set: ExampleSet,
    runs: readonly Int32Array[],
    random: RandomStream,
    rateOf: readonly number[],
  ): void => {
    const inputs = inputsOf(set, runs, random);
    const outputs = tree([...values, ...names.map((name) => inputs[name]!)]);
    const norms = outputs.slice(0, outputs.length - blocks.length);
    for (const [level, own] of norms.entries()) {
      const count = own.shape[1]!;
      let [norm2, ratedNorm2] = [0, 0];
      own.dataSync<'float32'>().forEach((value, i) => {
        norm2 += value;
        ratedNorm2 += value * rateOf[Math.floor(i / count)]!;
      });
      tower.addNorms(level, { norm2, ratedNorm2, count });
    }
    const parts = outputs.slice(norms.length).map((block) => block.dataSync<'float32'>());
    tower.add(joinBlocks(blocks, parts, 0, smallestBatch * together), norms.length);
    tf.dispose([inputs, outputs]);
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
    /** Smallest minibatches; after the last one, the last one again: another number of sets would be another graph. */
    const runsFrom = (first: number, count: number): Int32Array[] =>
      Array.from({ length: count }, (_, i) => {
        const run = Math.min(first + i, whole - 1);
        return rows.subarray(run * smallestBatch, (run + 1) * smallestBatch);
      });
    const rateOf = ratesOfParameters(model, blocks, rates);
    let first = 0;
    for (; first + together <= whole; first += together)
      addTree(tower, values, set, runsFrom(first, together), random, rateOf);
    for (; first < whole; first += few)
      for (const sum of sums(values, set, runsFrom(first, few), random).slice(0, whole - first))
        tower.add(sum, 0);
    const rest = rows.subarray(whole * smallestBatch);
    if (rest.length > 0) tower.addRest(sums(values, set, [rest], random)[0]!);
    return tower.norms();
  };

  const full: MinibatchMeter['full'] = (values, { set, probabilities }, rates) => {
    const rows = Array.from(probabilities.keys()).filter((row) => probabilities[row]! > 0);
    const total = new Float64Array(size);
    const random = createStream(0, 'unused: rows look the same at every sight');
    for (let first = 0; first < rows.length; first += few) {
      const own = rows.slice(first, first + few);
      const runs = Array.from({ length: few }, (_, i) => Int32Array.of(own[i] ?? own[0]!));
      sums(values, set, runs, random)
        .slice(0, own.length)
        .forEach((gradientOfRow, i) => {
          const weight = probabilities[own[i]!]!;
          for (let p = 0; p < size; p++) total[p]! += weight * gradientOfRow[p]!;
        });
    }
    return norms2Of(total, 1, rates);
  };
  return Object.assign(measure, {
    full,
    dispose: () => {
      gradient.dispose();
      tree.dispose();
    },
  });
}

function powerOfTwoBelow(most: number): number {
  return 2 ** Math.max(0, Math.floor(Math.log2(most)));
}

/** Row `row` of blocks `[row, size]` on the host, times a factor, `[sum of sizes]`. */
function joinBlocks(
  blocks: readonly ParameterBlock[],
  parts: readonly Float32Array[],
  row: number,
  factor: number,
): Float64Array {
  const whole = new Float64Array(blocks.reduce((sum, block) => sum + block.size, 0));
  let offset = 0;
  blocks.forEach((block, i) => {
    const part = parts[i]!.subarray(row * block.size, (row + 1) * block.size);
    for (let p = 0; p < block.size; p++) whole[offset + p] = part[p]! * factor;
    offset += block.size;
  });
  return whole;
}

/** Learning rate of each parameter of a model, from those of its coordinates. */
function ratesOfParameters(model: Model, blocks: readonly ParameterBlock[], rates: Float64Array): number[] {
  const rateOf = new Map<string, number>();
  let first = 0;
  for (const block of blocks) {
    for (const { name, offset } of block.parameters) rateOf.set(name, rates[first + offset]!);
    first += block.size;
  }
  return model.parameters.map(({ name }) => rateOf.get(name)!);
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

  /** Adds a sum of `8 * 2 ** from` examples, whose parts have been counted. */
  add(sum: Float64Array, from: number): void {
    addTo(this.total, sum);
    let carried = sum;
    for (let level = from; ; level++) {
      this.addNorms(level, { ...norms2Of(carried, smallestBatch * 2 ** level, this.rates), count: 1 });
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

  /** Counts minibatches of `8 * 2 ** level` examples by the sums of their squared norms. */
  addNorms(level: number, { norm2, ratedNorm2, count }: Norms2 & { readonly count: number }): void {
    const own = (this.levels[level] ??= { norm2: 0, ratedNorm2: 0, count: 0 });
    own.norm2 += norm2;
    own.ratedNorm2 += ratedNorm2;
    own.count += count;
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
