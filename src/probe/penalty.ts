import type * as tf from '@tensorflow/tfjs-core';
import { createStream } from '../../data/random/streams.js';
import {
  createMinibatchMeter,
  type DrawKind,
  type MinibatchNorms,
  type Norms2,
} from './penalty/minibatch-norms.js';
import { createFactorReader, type ExampleSource, type FactorReader } from './panel/factors.js';
import { valuesOf } from './panel/ghost-products.js';
import { ratesOfCoordinates, type Population } from './population.js';
import { tables } from '../store/tables/registry.js';
import type { TableWriter } from '../store/table-writer.js';
import { exampleNorms2 } from '../train/groups/example-norms.js';
import type { Model } from '../train/models/model.js';
import { probeBatch, questionPopulation, ToolCache, type Moment, type ProbeSpec } from './probe.js';

/** The training set that minibatches were drawn from. */
interface PopulationNorms {
  readonly examples: number;
  /** Mean squared norms of the gradients of single examples. */
  readonly single: Norms2;
  /** Squared norms of the gradient of all of them. */
  readonly full: Norms2;
}

/**
 * Norms of real minibatches of all sizes, drawn from the training set of the stage with questions, at the ends of stages.
 * A stream of fresh examples has no partitions: its examples are drawn independently alone.
 */
export const penaltyProbe: ProbeSpec = {
  name: 'penalty',
  tables: [tables.penalty],
  create: () => {
    const meters = new ToolCache(createMinibatchMeter);
    const readers = new ToolCache((model, blocks) => createFactorReader(model, blocks, probeBatch));
    return {
      begin: (run, open) => {
        const { plan, seed, options } = run;
        const writer = open(tables.penalty);
        const { population, rateOf } = questionPopulation(run);
        const kinds: readonly DrawKind[] = population.isUniform
          ? ['shuffle', 'withReplacement']
          : ['withReplacement'];
        return (moment) => {
          if (!moment.end) return;
          const { values, blocks } = moment;
          const meter = meters.of(run, blocks);
          const rates = ratesOfCoordinates(blocks, rateOf);
          const single = meanExampleNorms2(values, population, plan.model, readers.of(run, blocks), rateOf);
          let full = population.isUniform ? null : meter.full(values, population, rates);
          for (const kind of kinds) {
            for (let draw = 0; draw < options.draws; draw++) {
              const random = createStream(seed, `penalty/${kind}/${draw}`);
              const norms = meter(values, population, kind, random, rates);
              // Of a partition the full batch is the same whatever the draw; drawn independently it is a sample too.
              full ??= norms.at(-1)!;
              write(writer, moment, kind, draw, norms, { examples: population.set.size, single, full });
            }
          }
        };
      },
      dispose: () => {
        meters.dispose();
        readers.dispose();
      },
    };
  },
};

function write(
  writer: TableWriter<typeof tables.penalty>,
  { stage, step }: Moment,
  kind: DrawKind,
  draw: number,
  norms: readonly MinibatchNorms[],
  population: PopulationNorms,
): void {
  const { examples, single, full } = population;
  for (const { batchSize, minibatches, norm2, ratedNorm2 } of norms) {
    writer.append({
      stage,
      step,
      sampler: kind,
      draw,
      batch_size: batchSize,
      minibatches,
      norm2,
      example_norm2: single.norm2,
      full_norm2: full.norm2,
      examples,
      rated_norm2: ratedNorm2,
      rated_example_norm2: single.ratedNorm2,
      rated_full_norm2: full.ratedNorm2,
    });
  }
  writer.flush();
}

/** Mean over a population of the squared norms of the gradients of single examples. */
function meanExampleNorms2(
  values: readonly tf.Tensor[],
  { set, probabilities }: Population,
  model: Model,
  reader: FactorReader,
  rateOf: (parameter: string) => number,
): Norms2 {
  let [norm2, ratedNorm2] = [0, 0];
  for (let first = 0; first < set.size; first += probeBatch) {
    const count = Math.min(probeBatch, set.size - first);
    const rows = Int32Array.from({ length: count }, (_, i) => first + i);
    const source: ExampleSource = {
      fields: set.fields,
      size: count,
      fill: (from, to, buffers, slot) =>
        set.fill(rows.subarray(from, to), slot, buffers, () => {
          throw new Error('rows of a population look the same at every sight');
        }),
    };
    const factors = reader(values, source);
    for (const { name } of model.parameters) {
      const uses = factors.uses.filter(({ parameter }) => parameter === name);
      const rate = rateOf(name);
      valuesOf(() => exampleNorms2(uses)).forEach((own, i) => {
        const weighted = probabilities[first + i]! * own;
        norm2 += weighted;
        ratedNorm2 += weighted * rate;
      });
    }
    factors.dispose();
  }
  return { norm2, ratedNorm2 };
}
