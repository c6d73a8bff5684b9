import { setImmediate } from 'node:timers/promises';
import * as tf from '@tensorflow/tfjs-core';
import { UserError } from '../../data/errors.js';
import type { ExampleSet } from '../../data/experiment.js';
import { createStream } from '../../data/random/streams.js';
import { loadConfig } from '../config/load.js';
import { createMinibatchMeter, type MinibatchMeter } from '../probe/minibatch-norms.js';
import { createFactorReader, type ExampleSource, type FactorReader } from '../probe/panel/factors.js';
import { valuesOf } from '../probe/panel/ghost-products.js';
import { panelProducts } from '../probe/panel/panel-gram.js';
import { choosePanel, type Panel, type PanelOptions } from '../probe/panel/panel.js';
import { createTransferMeter, type TransferMeter } from '../probe/transfer.js';
import { acquireLock } from '../store/lock.js';
import { nodeEnvironment } from '../store/environment.js';
import { configPath, readRunInfo } from '../store/run-folder.js';
import { exampleNorms2 } from '../train/groups/example-norms.js';
import { Learner } from '../train/learner.js';
import type { Model } from '../train/models/model.js';
import type { Block } from '../train/parameters/layout.js';
import { checkpointSteps, readCheckpoint } from './checkpoint.js';
import { runSchema } from './config.js';
import { dimensionsOf, metadataOf } from './description.js';
import { planRun, type RunPlan } from './plan.js';
import { ProbeTables, type ProbePlace } from './probe-tables.js';
import type { RunRequest } from './run.js';

export interface ProbeOptions extends PanelOptions {
  /** Random partitions of the training set over which minibatch norms are averaged. */
  readonly draws: number;
  /** Sizes of the single updates whose transfer is measured. */
  readonly stepSizes: readonly number[];
}

export const probeDefaults: ProbeOptions = {
  variablesPerSubset: 25,
  questions: 12,
  draws: 1,
  stepSizes: [1e-5, 1e-4, 1e-3],
};

/** Examples of one backward pass. */
const batchSize = 256;

/**
 * Probes the checkpoints of runs: gradient products of a panel of variables, norms of real minibatches of all sizes, and
 * the transfer of single updates. Trains nothing, changes nothing but the tables it writes into the run folder.
 */
export class Prober {
  /** Functions of the last model; runs of one config share them. */
  private tools: { key: string; tools: Tools } | null = null;

  constructor(
    private readonly options: ProbeOptions,
    private readonly request: Pick<RunRequest, 'engine'>,
    private readonly onProgress: (message: string) => void,
  ) {}

  /** Throws a UserError for a folder that is no run, is being written, or has no checkpoints. */
  async probe(folder: string): Promise<void> {
    const lock = acquireLock(folder, nodeEnvironment);
    try {
      const { seed } = readRunInfo(folder);
      const { config } = loadConfig(configPath(folder), runSchema);
      const steps = checkpointSteps(folder);
      if (steps.length === 0) throw new UserError(`${folder}: there is no checkpoint to probe`);
      const plan = planRun(config, [seed]);
      const tables = new ProbeTables(folder, dimensionsOf(plan), metadataOf(plan, 0, this.request));
      try {
        for (const step of steps) {
          this.onProgress(`${folder}: checkpoint at step ${step} of ${plan.totalSteps}`);
          this.probeCheckpoint(folder, step, plan, tables);
          // Signals and timers get their turn.
          await setImmediate();
        }
      } catch (error) {
        tables.close();
        throw error;
      }
      await tables.finish();
    } finally {
      lock.release();
    }
  }

  dispose(): void {
    this.tools?.tools.dispose();
    this.tools = null;
  }

  private probeCheckpoint(folder: string, step: number, plan: RunPlan, tables: ProbeTables): void {
    const seed = plan.seeds[0]!;
    const learner = new Learner(plan.model, 1, 'example');
    const checkpoint = readCheckpoint(folder, step);
    learner.load([checkpoint.parameters]);
    const { reader, meter, transfer } = this.toolsFor(plan, learner.blocks);
    const place: ProbePlace = { stage: checkpoint.position.stage, step };
    const values = learner.read();
    const panel = choosePanel(plan.data[0]!, this.options, createStream(seed, 'panel'), () =>
      createStream(seed, 'panel/examples'),
    );
    const factors = reader(values, panel);
    const products = panelProducts(panel, factors, plan.model);
    factors.dispose();
    tables.writeAlignment(place, panel, products);
    tables.writeGram(place, panel, products);
    const effects = transfer(values, panel, transferPairs(panel), this.options.stepSizes);
    tables.writeTransfer(place, panel, products.get('total')!, effects);
    this.probePenalty(values, plan, meter, reader, place, tables);
    tf.dispose(values);
    learner.dispose();
  }

  private probePenalty(
    values: readonly tf.Tensor[],
    plan: RunPlan,
    meter: MinibatchMeter,
    reader: FactorReader,
    place: ProbePlace,
    tables: ProbeTables,
  ): void {
    const seed = plan.seeds[0]!;
    const set = plan.stages[0]!.sets[0]!;
    const exampleNorm2 = meanExampleNorm2(values, set, plan.model, reader, seed);
    let fullNorm2: number | null = null;
    for (const kind of ['shuffle', 'withReplacement'] as const) {
      for (let draw = 0; draw < this.options.draws; draw++) {
        const norms = meter(values, set, kind, createStream(seed, `penalty/${kind}/${draw}`));
        // The full batch is the same whatever the partition; with replacement it is a sample too.
        fullNorm2 ??= norms.at(-1)!.norm2;
        tables.writePenalty(place, kind, draw, norms, { examples: set.size, exampleNorm2, fullNorm2 });
      }
    }
  }

  private toolsFor(plan: RunPlan, blocks: readonly Block[]): Tools {
    const key = JSON.stringify([plan.config.model, plan.data[0]!.shape]);
    if (this.tools?.key === key) return this.tools.tools;
    this.dispose();
    const tools = createTools(plan.model, blocks);
    this.tools = { key, tools };
    return tools;
  }
}

interface Tools {
  readonly reader: FactorReader;
  readonly meter: MinibatchMeter;
  readonly transfer: TransferMeter;
  dispose(): void;
}

function createTools(model: Model, blocks: readonly Block[]): Tools {
  const reader = createFactorReader(model, blocks, batchSize);
  const meter = createMinibatchMeter(model, blocks);
  const transfer = createTransferMeter(model, blocks);
  return {
    reader,
    meter,
    transfer,
    dispose: () => {
      reader.dispose();
      meter.dispose();
      transfer.dispose();
    },
  };
}

/** Every definition of the panel with the held-out questions of its entity. */
function transferPairs(panel: Panel): { definition: number; set: number }[] {
  const { entities, definitionKinds, questionSets } = panel;
  return questionSets.flatMap(({ entity, kind }, set) =>
    kind === 'heldout'
      ? definitionKinds.map((_, k) => ({ definition: k * entities.length + entity, set }))
      : [],
  );
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
  for (let first = 0; first < set.size; first += batchSize) {
    const count = Math.min(batchSize, set.size - first);
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
