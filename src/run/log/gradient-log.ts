import type { LogConfig } from '../config.js';
import * as tf from '@tensorflow/tfjs-core';
import type { Attachment, MinibatchGradient } from '../../train/gradient-function.js';
import { arrangeGroups, planSlots, type Arrangement } from '../../train/groups/arrange.js';
import { GroupStatistics, type MinibatchGroups } from '../../train/groups/statistics.js';
import { TensorNorms } from '../../train/groups/tensor-norms.js';
import type { Model } from '../../train/models/model.js';
import type { Block } from '../../train/parameters/layout.js';
import { GramRows } from './gram-rows.js';
import { reaches, type RunTables } from './run-tables.js';
import { scheduledSteps } from './schedule.js';
import { VectorRows } from './vector-rows.js';

/** Which step of the run a record is about. */
export interface StepPlace {
  readonly stage: number;
  /** Updates of the whole run, this one included. */
  readonly step: number;
  /** Updates of the stage, this one included. */
  readonly stageStep: number;
}

/** Examples that a slot of misplaced examples holds, as a share of the minibatch. */
const slotShare = 1 / 8;

/** What a step logs beyond its scalars, and what that needs. */
export interface Prepared {
  readonly what: Readonly<Record<'gram' | 'exampleNorms' | 'sketch' | 'vectors', boolean>>;
  readonly minibatch: MinibatchGroups;
  /** Computed in the gradient's own graph; null where the Gram matrices are computed apart or not at all. */
  readonly attachment: Attachment | null;
}

/**
 * Writes the gradient log of R replicas. What it needs is computed from the factors that training returns anyway,
 * beside the gradient or after it and before the update; it never touches training state.
 */
export class GradientLog {
  private readonly statistics: GroupStatistics;
  private readonly norms: TensorNorms | null;
  private readonly gramRows: GramRows;
  private readonly vectorRows: VectorRows;
  private readonly isGramStep: (step: number) => boolean;
  private readonly isExampleStep: (step: number) => boolean;
  private readonly isSketchStep: (step: number) => boolean;
  private readonly isVectorStep: (step: number) => boolean;
  private arrangement: Arrangement = { rank: [], owners: [0] };
  private slots = 0;
  private chunksOf: (examples: number) => 1 | 2 = () => 1;

  constructor(
    private readonly config: LogConfig,
    model: Model,
    blocks: readonly Block[],
    private readonly groups: readonly string[],
  ) {
    const parameters = model.parameters.map(({ name }) => name);
    const { tier } = config;
    this.statistics = new GroupStatistics(parameters);
    this.norms = tier === 'norms' ? new TensorNorms(parameters, blocks) : null;
    this.gramRows = new GramRows(groups.length, parameters.length);
    this.vectorRows = new VectorRows(model, groups.length, config.sketchSize, config.sketchSeed);
    const when = (
      needed: 'groups' | 'sketch' | 'full',
      schedule: LogConfig['gram'],
    ): ((step: number) => boolean) => (reaches(tier, needed) ? scheduledSteps(schedule) : () => false);
    this.isGramStep = when('groups', config.gram);
    this.isExampleStep = when('groups', config.exampleNorms);
    this.isSketchStep = when('sketch', config.sketch);
    this.isVectorStep = when('full', config.vectors);
  }

  /**
   * Starts a stage: chooses the order in which minibatches are sorted by group.
   *
   * @param sizes training examples of each group
   * @param chunksOf runs of examples that the training gradient of a minibatch of so many examples keeps apart
   * @param batchSize examples of a full minibatch
   */
  beginStage(sizes: readonly number[], chunksOf: (examples: number) => 1 | 2, batchSize: number): void {
    this.arrangement = arrangeGroups(sizes, chunksOf(batchSize));
    this.chunksOf = chunksOf;
    this.slots = 0;
  }

  /** Position of each group in a sorted minibatch. */
  get rank(): readonly number[] {
    return this.arrangement.rank;
  }

  /**
   * Says what is to be computed together with the gradient of a minibatch; null for nothing.
   *
   * @param groupOf `[replica, example]` group of each example, sorted by {@link rank}
   */
  prepare({ stageStep }: StepPlace, groupOf: Int32Array, replicas: number): Prepared | null {
    const what = {
      gram: this.isGramStep(stageStep),
      exampleNorms: this.isExampleStep(stageStep),
      sketch: this.isSketchStep(stageStep),
      vectors: this.isVectorStep(stageStep),
    };
    if (!Object.values(what).includes(true)) return null;
    const minibatch = this.divide(groupOf, replicas);
    // At the few steps that measure more, the Gram matrices are computed apart too, so that the time of a bare
    // gradient is known from time to time.
    const alone = what.gram && !what.exampleNorms;
    return { what, minibatch, attachment: alone ? this.statistics.gramAttachment(minibatch) : null };
  }

  /**
   * Logs one minibatch.
   *
   * @param tables of each replica; null for one that has stopped
   */
  record(
    place: StepPlace,
    gradient: MinibatchGradient,
    prepared: Prepared | null,
    tables: readonly (RunTables | null)[],
  ): void {
    if (this.norms !== null) {
      const norms2 = this.norms.measure(gradient.blocks);
      tables.forEach((own, replica) => own && this.gramRows.writeNorms(own, place, norms2, replica));
      return;
    }
    if (prepared === null) return;
    const { what, minibatch, attachment } = prepared;
    const { groupOf } = minibatch;
    const counts = tables.map((_, replica) => this.count(groupOf, replica, tables.length));
    if (what.gram || what.exampleNorms) {
      const grams =
        attachment === null
          ? this.statistics.gram(gradient, minibatch)
          : this.statistics.readGram(gradient, gradient.attached, minibatch);
      const norms2 = what.exampleNorms ? this.statistics.exampleNorms2(gradient, minibatch) : null;
      tables.forEach(
        (own, replica) =>
          own && this.gramRows.write(own, place, replica, counts[replica]!, grams, norms2, groupOf),
      );
    }
    if (what.sketch || what.vectors) {
      const parts = this.statistics.gradients(gradient, minibatch);
      this.vectorRows.write(tables, place, counts, parts, what);
    }
    if (attachment !== null) tf.dispose([...attachment.inputs]);
  }

  dispose(): void {
    this.statistics.dispose();
    this.norms?.dispose();
  }

  private divide(groupOf: Int32Array, replicas: number): MinibatchGroups {
    const examples = groupOf.length / replicas;
    const { owners } = this.arrangement;
    const own = this.chunksOf(examples) === owners.length ? owners : [owners[0]!];
    const capacity = Math.max(4, Math.ceil(examples * slotShare));
    const groups = this.groups.length;
    // Never fewer slots than seen before: every other number of slots is another graph to build.
    const slots = planSlots(groupOf, replicas, groups, own, capacity, this.slots);
    this.slots = slots.slots;
    return { groups, groupOf, slots };
  }

  private count(groupOf: Int32Array, replica: number, replicas: number): Int32Array {
    const examples = groupOf.length / replicas;
    const counts = new Int32Array(this.groups.length);
    for (let i = replica * examples; i < (replica + 1) * examples; i++) counts[groupOf[i]!]!++;
    return counts;
  }
}
