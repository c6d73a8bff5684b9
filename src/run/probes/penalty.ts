import { fixedSights } from '../../../data/fixed-sights.js';
import type * as tf from '@tensorflow/tfjs-core';
import type { ExampleSet } from '../../../data/experiment.js';
import { createStream } from '../../../data/random/streams.js';
import { createMinibatchMeter, type DrawKind, type MinibatchNorms } from '../../probe/minibatch-norms.js';
import { createFactorReader, type ExampleSource, type FactorReader } from '../../probe/panel/factors.js';
import { valuesOf } from '../../probe/panel/ghost-products.js';
import { tables } from '../../store/schemas.js';
import type { TableWriter } from '../../store/table-writer.js';
import { exampleNorms2 } from '../../train/groups/example-norms.js';
import type { Model } from '../../train/models/model.js';
import { probeBatch, ToolCache, type Moment, type ProbeSpec } from './probe.js';

/** The training set that minibatches were drawn from. */
interface Population {
  readonly examples: number;
  /** Mean squared norm of the gradients of single examples. */
  readonly exampleNorm2: number;
  /** Squared norm of the gradient of all of them. */
  readonly fullNorm2: number;
}

/** Norms of real minibatches of the first stage's training set, of all sizes, at the ends of stages. */
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
        const set = fixedSights(plan.stages[0]!.sets[0]!, seed, 'probe/examples');
        return (moment) => {
          if (!moment.end) return;
          const { values, blocks } = moment;
          const exampleNorm2 = meanExampleNorm2(values, set, plan.model, readers.of(run, blocks), seed);
          let fullNorm2: number | null = null;
          for (const kind of ['shuffle', 'withReplacement'] as const) {
            for (let draw = 0; draw < options.draws; draw++) {
              const random = createStream(seed, `penalty/${kind}/${draw}`);
              const norms = meters.of(run, blocks)(values, set, kind, random);
              // The full batch is the same whatever the partition; with replacement it is a sample too.
              fullNorm2 ??= norms.at(-1)!.norm2;
              write(writer, moment, kind, draw, norms, { examples: set.size, exampleNorm2, fullNorm2 });
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
  population: Population,
): void {
  for (const { batchSize, minibatches, norm2 } of norms) {
    writer.append({
      stage,
      step,
      sampler: kind,
      draw,
      batch_size: batchSize,
      minibatches,
      norm2,
      example_norm2: population.exampleNorm2,
      full_norm2: population.fullNorm2,
      examples: population.examples,
    });
  }
  writer.flush();
}

/** Mean over a training set of the squared norms of the gradients of single examples. */
function meanExampleNorm2(
  values: readonly tf.Tensor[],
  set: ExampleSet,
  model: Model,
  reader: FactorReader,
  seed: number,
): number {
  let sum = 0;
  for (let first = 0; first < set.size; first += probeBatch) {
    const count = Math.min(probeBatch, set.size - first);
    const rows = Int32Array.from({ length: count }, (_, i) => first + i);
    const source: ExampleSource = {
      fields: set.fields,
      size: count,
      fill: (from, to, buffers, slot) =>
        set.fill(rows.subarray(from, to), slot, buffers, () => createStream(seed, 'penalty/examples')),
    };
    const factors = reader(values, source);
    for (const { name } of model.parameters) {
      const uses = factors.uses.filter(({ parameter }) => parameter === name);
      for (const norm2 of valuesOf(() => exampleNorms2(uses))) sum += norm2;
    }
    factors.dispose();
  }
  return sum / set.size;
}
