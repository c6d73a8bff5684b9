import type * as tf from '@tensorflow/tfjs-core';
import type { Panel, PanelOptions } from './panel/panel.js';
import type { TableDefinition } from '../store/columns.js';
import type { TableWriter } from '../store/table-writer.js';
import type { Model } from '../train/models/model.js';
import type { ParameterBlock } from '../train/parameters/layout.js';
import { populationOf, type Population } from './population.js';
import type { Checkpoint } from '../run/checkpoint.js';
import type { ComingUpdate } from '../run/coming-update.js';
import { learningRates } from '../run/learning-rates.js';
import { questionStageOf, type RunPlan } from '../run/plan.js';

/** What is measured, and how much of it. */
export interface ProbeOptions extends PanelOptions {
  /** Random partitions of the training set over which minibatch norms are averaged. */
  readonly draws: number;
  /** Sizes of the single plain updates whose transfer is measured. */
  readonly stepSizes: readonly number[];
  /** Whether the factors of every example of the panel are kept. */
  readonly factors: boolean;
  /** Names of the activations that are kept of every example of the panel; `*` stands for any characters. */
  readonly activations: readonly string[];
  /** Most bytes of them in a run, over all its checkpoints. */
  readonly activationBytes: number;
  /** Names of the probes to take; null: all. */
  readonly only: readonly string[] | null;
}

export const probeDefaults: ProbeOptions = {
  variablesPerSubset: 25,
  questions: 12,
  draws: 1,
  stepSizes: [1e-5, 1e-4, 1e-3],
  factors: false,
  activations: [],
  activationBytes: 4e9,
  only: null,
};

/** A checkpoint of a run, loaded. */
export interface Moment {
  /** Number of the stage that it belongs to. */
  readonly stage: number;
  /** Updates before it. */
  readonly step: number;
  /** Whether it is the untrained model or the end of a stage. */
  readonly end: boolean;
  readonly checkpoint: Checkpoint;
  /** How `values` divide the parameters. */
  readonly blocks: readonly ParameterBlock[];
  /** Blocks of parameters, `[1, size]`. */
  readonly values: readonly tf.Tensor[];
  /** See {@link Learner.preconditioner}. */
  readonly preconditioner: readonly tf.Tensor[] | null;
  /** See {@link Learner.unseen}. */
  readonly unseen: readonly tf.Tensor[] | null;
  /** The next update of the stage; null at its end, and where it was not logged. */
  readonly coming: ComingUpdate | null;
}

/** A run whose checkpoints are probed, of one seed. */
export interface ProbedRun {
  readonly plan: RunPlan;
  /** Equal for runs whose models are the same function of parameters and inputs. */
  readonly modelKey: string;
  readonly seed: number;
  /** Updates that the run has come to, as its last checkpoint has it. */
  readonly lastStep: number;
  /** Checkpoints that are probed. */
  readonly checkpoints: number;
  readonly panel: Panel;
  readonly options: ProbeOptions;
  /** One line for people. */
  readonly onMessage: (message: string) => void;
}

/** The rows of the stage with questions as its sampler draws them, and the full learning rate of each parameter there. */
export function questionPopulation({ plan, seed }: Pick<ProbedRun, 'plan' | 'seed'>): {
  readonly population: Population;
  readonly rateOf: (parameter: string) => number;
} {
  const { config, sets } = plan.stages[questionStageOf(plan)]!;
  return { population: populationOf(sets[0]!, config.sampler, seed), rateOf: learningRates(config) };
}

/** Opens a table of the run; whoever opens it need not close it. */
export type OpenTable = <D extends TableDefinition>(table: D) => TableWriter<D>;

/** A probe at work on any number of runs, one after the other. */
export interface Instrument {
  /** Opens the tables of a run; the function returned measures one checkpoint and writes its rows. */
  begin(run: ProbedRun, open: OpenTable): (moment: Moment) => void;
  dispose(): void;
}

/** Something that is measured at checkpoints: one file in this folder, one line in its registry. */
export interface ProbeSpec {
  /** For `gradscope probe --only`. */
  readonly name: string;
  readonly tables: readonly TableDefinition[];
  create(): Instrument;
}

/** Compiled functions of the present model, one set for each way in which parameters are divided into blocks. */
export class ToolCache<T extends { dispose(): void }> {
  private readonly tools = new Map<string, T>();
  private model = '';

  constructor(private readonly make: (model: Model, blocks: readonly ParameterBlock[]) => T) {}

  of({ plan, modelKey }: Pick<ProbedRun, 'plan' | 'modelKey'>, blocks: readonly ParameterBlock[]): T {
    if (modelKey !== this.model) this.dispose();
    this.model = modelKey;
    // Learning rates do not matter to gradients, only which parameters share a block.
    const key = blocks.map(({ parameters }) => parameters.map(({ name }) => name).join()).join(' ');
    let tool = this.tools.get(key);
    if (tool === undefined) {
      tool = this.make(plan.model, blocks);
      this.tools.set(key, tool);
    }
    return tool;
  }

  dispose(): void {
    for (const tool of this.tools.values()) tool.dispose();
    this.tools.clear();
  }
}

/** Examples of one backward pass. */
export const probeBatch = 256;
